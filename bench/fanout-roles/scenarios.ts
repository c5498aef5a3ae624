// What is measured, and what it is held to. Names are what `--only` picks by.

import type { Figures, Scenario } from './measure.ts';

const THRIFTY = { flushShare: 0.4, maxWaitMs: 100 };
/** Receiving 20,000 messages a second takes its part of the core: less is left for writing. */
const NARROW = { flushShare: 0.46, maxWaitMs: 100 };
const QUICK = { flushShare: 0.62, maxWaitMs: 100 };
/** What one core of plain sends can carry; the cost of one is what is compared. */
const PEER_RATE = 50_000;
const RATE = 200_000;
const SIZES = [512, 128];
/** Frames a write, and how many times cheaper than one `ws.send` each a delivery is to be then. */
const CHEAPER_AT = [
  [4, 4],
  [16, 15],
] as const;
/** Frames a write count as equal within this share. */
const EQUAL_WITHIN = 0.05;

const gateway = (
  name: string,
  deliveriesPerSec: number,
  bytes: number,
  flags: Record<string, unknown>,
  more: Partial<Scenario> = {},
): Scenario => ({ name, server: { kind: 'gateway', flags }, deliveriesPerSec, bytes, ...more });

/**
 * The wait alone decides how many frames come together: a tiny share makes every rest longer than it. It ends just
 * after the frame that is to be the last; that the first one may have had to wait for a slice comes on top.
 */
const atFramesAWrite = (frames: number, connections: number): Record<string, unknown> => ({
  flushShare: 0.05,
  maxWaitMs: Math.round(((frames - 0.85) * 1_000 * connections) / RATE),
});

const writing = (server: string, frames: number, bytes: number): string =>
  `${server} at ${frames} frames of ${bytes} B a write`;

export function scenarios(connections: number): Scenario[] {
  const equal = SIZES.flatMap((bytes) =>
    CHEAPER_AT.flatMap(([frames]): Scenario[] => [
      gateway(writing('gateway', frames, bytes), RATE, bytes, atFramesAWrite(frames, connections)),
      ...(['floor-c', 'floor-node'] as const).map((kind) => ({
        name: writing(kind, frames, bytes),
        server: { kind, framesPerWrite: frames },
        deliveriesPerSec: RATE,
        bytes,
      })),
    ]),
  );
  const peer = (kind: 'ws' | 'socketio' | 'nchan' | 'nats', bytes: number): Scenario => ({
    name: `peer ${kind} ${bytes} B`,
    server: { kind },
    deliveriesPerSec: PEER_RATE,
    bytes,
  });
  return [
    gateway('broadcast thrifty 512 B', RATE, 512, THRIFTY),
    gateway('broadcast quick 512 B', RATE, 512, QUICK),
    gateway('broadcast thrifty 128 B', RATE, 128, THRIFTY),
    gateway('broadcast quick 128 B', RATE, 128, QUICK),
    gateway('broadcast most 128 B', 800_000, 128, { flushShare: 0.67, maxWaitMs: 100 }),
    gateway('narrow 350 topics 512 B', RATE, 512, NARROW, {
      topics: Math.max(1, Math.floor(connections / 10)),
    }),
    gateway('shared deflate 512 B', RATE, 512, THRIFTY, { deflate: true }),
    ...equal,
    gateway('peer gateway at the same rate 512 B', PEER_RATE, 512, {}),
    peer('ws', 512),
    peer('ws', 128),
    peer('socketio', 512),
    peer('nchan', 512),
    peer('nats', 512),
  ];
}

type Measured = ReadonlyMap<string, Figures>;

interface Target {
  text: string;
  /** Undefined when what it needs was not measured. */
  judge: (measured: Measured) => { value: string; reached: boolean } | undefined;
}

const one =
  (name: string, say: (figures: Figures) => string, reached: (figures: Figures) => boolean) =>
  (measured: Measured): { value: string; reached: boolean } | undefined => {
    const figures = measured.get(name);
    return figures && { value: say(figures), reached: reached(figures) };
  };

const coreAndP99 = ({ core, p99Ms }: Figures): string => `${core.toFixed(2)} core, ${p99Ms.toFixed(0)} ms`;

/** Cost of a delivery of `left` over that of `right`. */
const ratio =
  (left: string, right: string, reached: (ratio: number) => boolean) =>
  (measured: Measured): { value: string; reached: boolean } | undefined => {
    const [over, under] = [measured.get(left), measured.get(right)];
    if (!over || !under) return undefined;
    const value = over.usEach / under.usEach;
    return { value: value.toFixed(2), reached: reached(value) };
  };

/** The same, worth something only when a write of `ours` really carried as many frames as it should. */
const ratioAt =
  (frames: number, ours: string, ...judged: Parameters<typeof ratio>) =>
  (measured: Measured): { value: string; reached: boolean } | undefined => {
    const verdict = ratio(...judged)(measured);
    const { framesPerWrite = 0 } = measured.get(ours) ?? {};
    if (!verdict || Math.abs(framesPerWrite / frames - 1) <= EQUAL_WITHIN) return verdict;
    return {
      value: `${verdict.value}, but with ${framesPerWrite.toFixed(1)} frames a write`,
      reached: false,
    };
  };

const atRate = (figures: Figures, core: number, p99Ms: number): boolean =>
  figures.arrived > 0.98 && figures.core <= core && figures.p99Ms <= p99Ms;

export const targets: Target[] = [
  ...SIZES.flatMap((bytes): Target[] => [
    {
      text: `200,000/s of ${bytes} B broadcast on <= 0.45 core, p99 <= 130 ms`,
      judge: one(`broadcast thrifty ${bytes} B`, coreAndP99, (figures) => atRate(figures, 0.45, 130)),
    },
    {
      text: `200,000/s of ${bytes} B broadcast on <= 0.70 core, p99 <= 80 ms`,
      judge: one(`broadcast quick ${bytes} B`, coreAndP99, (figures) => atRate(figures, 0.7, 80)),
    },
  ]),
  {
    text: '200,000/s of narrow topics on <= 0.65 core, p99 <= 150 ms',
    judge: one('narrow 350 topics 512 B', coreAndP99, (figures) => atRate(figures, 0.65, 150)),
  },
  {
    text: '>= 750,000/s on <= 0.75 core',
    judge: one(
      'broadcast most 128 B',
      ({ perSec, core }) => `${Math.round(perSec).toLocaleString('en')}/s on ${core.toFixed(2)}`,
      ({ perSec, core }) => perSec >= 750_000 && core <= 0.75,
    ),
  },
  ...SIZES.flatMap((bytes) =>
    CHEAPER_AT.flatMap(([frames, cheaper]): Target[] => {
      const ours = writing('gateway', frames, bytes);
      const atMost = (value: number): boolean => value <= 1.5;
      return [
        ...['floor-c', 'floor-node'].map((kind) => ({
          text: `<= 1.5 times ${writing(kind, frames, bytes)}`,
          judge: ratioAt(frames, ours, ours, writing(kind, frames, bytes), atMost),
        })),
        {
          text: `>= ${cheaper} times cheaper than ws.send at ${frames} frames of ${bytes} B a write`,
          judge: ratioAt(frames, ours, `peer ws ${bytes} B`, ours, (value) => value >= cheaper),
        },
      ];
    }),
  ),
  {
    text: 'shared deflate <= 1.1 times plain',
    judge: ratio('shared deflate 512 B', 'broadcast thrifty 512 B', (value) => value <= 1.1),
  },
];
