// (8) Traced messages from their arrival to the end of the flush that gave them to the last subscriber, and the last
// ones with all their hops. Messages that are not traced never come here.

import type { TraceStamp } from '../../protocol/publication-trace.ts';
import { TRACE_HOPS, traceKey } from '../../protocol/publication-trace.ts';
import type { TracedArrival } from './feed-port.ts';
import type { GroupMark } from './group.ts';
import { isPast } from './group.ts';

/** The stretches between the hops, in their order. */
export const TRACE_STRETCHES = ['publisher', 'to-broker', 'broker', 'to-gateway', 'gateway'] as const;
export type TraceStretch = (typeof TRACE_STRETCHES)[number];

const HOP_NAMES = new Map(Object.entries(TRACE_HOPS).map(([name, hop]) => [hop as number, name]));
/** A stretch ends at the hop after the one it starts at. */
const ENDS: readonly [TraceStretch, from: number, to: number][] = TRACE_STRETCHES.map((stretch, i) => [
  stretch,
  i + 1,
  i + 2,
]);

export interface TraceRecord {
  /** publisher:sequence. */
  id: string;
  topic: string;
  epoch: string;
  offset: number;
  /** Sockets it was due to here. */
  subscribers: number;
  hops: { hop: string; by: string; atEpochMs: number }[];
  /** Of the stretches whose both ends are known; below 0 where two machines' clocks differ. */
  spentMs: Partial<Record<TraceStretch, number>>;
  totalMs: number;
}

export const KEPT_TRACES = 1_000;
/** Traced messages that may wait for their flush at the same time; further ones are not recorded. */
const MAX_WAITING = 256;

interface Waiting {
  arrival: TracedArrival;
  arrivedMs: number;
  subscribers: number;
  marks: readonly GroupMark[];
}

export class TraceBook {
  readonly #gateway: string;
  readonly #done: (record: TraceRecord) => void;
  readonly #records: TraceRecord[] = [];
  #next = 0;
  #waiting: Waiting[] = [];

  constructor(gateway: string, done: (record: TraceRecord) => void) {
    this.#gateway = gateway;
    this.#done = done;
  }

  /** `marks`: how far each group that it is in has to be written. */
  arrived(arrival: TracedArrival, marks: readonly GroupMark[], subscribers: number, arrivedMs: number): void {
    const one = { arrival, arrivedMs, subscribers, marks };
    if (marks.length === 0) this.#finish(one, undefined);
    else if (this.#waiting.length < MAX_WAITING) this.#waiting.push(one);
  }

  /** A flush has ended. */
  flushed(atMs: () => number): void {
    if (this.#waiting.length === 0) return;
    const [nowMs, still] = [atMs(), [] as Waiting[]];
    for (const one of this.#waiting) {
      if (one.marks.every(isPast)) this.#finish(one, nowMs);
      else still.push(one);
    }
    this.#waiting = still;
  }

  /** Newest first; of one message, or of any. */
  last(count = KEPT_TRACES, id?: string): TraceRecord[] {
    const newestFirst = [
      ...this.#records.slice(0, this.#next).reverse(),
      ...this.#records.slice(this.#next).reverse(),
    ];
    return newestFirst.filter((record) => id === undefined || record.id === id).slice(0, count);
  }

  #finish({ arrival, arrivedMs, subscribers }: Waiting, writtenMs: number | undefined): void {
    const by = this.#gateway;
    const stamps: TraceStamp[] = [...arrival.stamps];
    if (stamps.length === 0) {
      stamps.push({ hop: TRACE_HOPS.published, by: arrival.publisher, atMs: arrival.publishedAtMs });
    }
    stamps.push({ hop: TRACE_HOPS.arrived, by, atMs: arrivedMs });
    if (writtenMs !== undefined) stamps.push({ hop: TRACE_HOPS.written, by, atMs: writtenMs });
    const { topic, epoch, offset } = arrival;
    const record: TraceRecord = {
      id: traceKey(arrival),
      topic,
      epoch,
      offset,
      subscribers,
      hops: stamps.map(({ hop, by: who, atMs }) => ({
        hop: HOP_NAMES.get(hop) ?? `hop-${hop}`,
        by: who,
        atEpochMs: round(atMs),
      })),
      spentMs: spent(stamps),
      totalMs: round((writtenMs ?? arrivedMs) - stamps[0]!.atMs),
    };
    this.#records[this.#next] = record;
    this.#next = (this.#next + 1) % KEPT_TRACES;
    this.#done(record);
  }
}

function spent(stamps: readonly TraceStamp[]): TraceRecord['spentMs'] {
  const at = (wanted: number): number | undefined => stamps.find(({ hop }) => hop === wanted)?.atMs;
  return Object.fromEntries(
    ENDS.flatMap(([stretch, from, to]) => {
      const [start, end] = [at(from), at(to)];
      return start === undefined || end === undefined ? [] : [[stretch, round(end - start)]];
    }),
  );
}

/** To a thousandth: what lies below is the clock's own noise. */
function round(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}
