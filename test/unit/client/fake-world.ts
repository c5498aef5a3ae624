// A world for the client's machine: its clock, its timers, its lookups and its sockets, all in the test's hand.

import type { ClientEvent, ClientEvents } from '../../../src/client/core/client-events.ts';
import type { Effect, TimerName } from '../../../src/client/core/effects.ts';
import type { LookupAnswer } from '../../../src/client/core/lookup-answer.ts';
import { judgeLookup } from '../../../src/client/core/lookup-answer.ts';
import { ClientMachine } from '../../../src/client/core/machine.ts';
import type { Machine, MachineParts } from '../../../src/client/core/machine-port.ts';

export interface FakeLink {
  link: number;
  url: string;
  protocols: string[];
  sent: Record<string, unknown>[];
  /** Code this side closed it with. */
  closedWith: number | undefined;
  opens(): void;
  /** The gateway sends a frame. */
  says(frame: object): void;
  /** The gateway closes. */
  closes(code: number, reason?: string): void;
  /** Opens, welcomes, and answers every subscription; `position` by topic. */
  accepts(options?: Welcome & { answers?: Record<string, Answer> }): void;
  welcomes(options: Welcome): void;
  /** Answers the subscriptions that are still open. */
  answers(answers?: Record<string, Answer>): void;
}

interface Welcome {
  gateway?: string;
  pingMs?: number;
  maxFrameBytes?: number;
  perSec?: number;
  lookup?: string[];
}

export interface Answer {
  e?: string;
  o?: number;
  rec?: boolean;
  err?: { code: number; msg: string };
}

export interface FakeWorld {
  machine: Machine;
  links: FakeLink[];
  /** URLs asked. */
  lookups: URL[];
  events: ClientEvent[];
  settled: Map<number, string | undefined>;
  nowMs: number;
  /** Value of the next random numbers; the last one stays. */
  set chance(next: number[]);
  last(): FakeLink;
  of<K extends keyof ClientEvents>(name: K): ClientEvents[K][];
  data(): unknown[];
  answer(answer: LookupAnswer): void;
  /** Answers the last lookup with these gateways. */
  finds(...gateways: string[]): void;
  refuses(body: object, status?: number, retryAfterMs?: number): void;
  silence(): void;
  /** Lets time pass; timers fire in order. */
  passes(ms: number): void;
  timer(name: TimerName): number | undefined;
}

export function createFakeWorld(options: Partial<MachineParts> = {}, chance: number[] = [0.5]): FakeWorld {
  const dice = { chance };
  const timers = new Map<TimerName, number>();
  let asked = 0;

  const act = (effect: Effect): void => {
    switch (effect.do) {
      case 'lookup':
        asked = effect.ask;
        world.lookups.push(new URL(effect.url));
        return;
      case 'open':
        world.links.push(fakeLink(effect.link, effect.url, effect.protocols));
        return;
      case 'send':
        linkOf(effect.link).sent.push(JSON.parse(effect.text) as Record<string, unknown>);
        return;
      case 'close':
        linkOf(effect.link).closedWith = effect.code;
        return;
      case 'timer':
        if (effect.afterMs === undefined) timers.delete(effect.name);
        else timers.set(effect.name, world.nowMs + effect.afterMs);
        return;
      case 'emit':
        world.events.push(effect.event);
        return;
      case 'settle':
        world.settled.set(effect.publish, effect.problem?.why);
    }
  };
  const linkOf = (link: number): FakeLink => world.links.find((one) => one.link === link)!;

  const machine = new ClientMachine({
    heralds: ['http://h1:7400'],
    request: {},
    topics: [{ topic: 't' }],
    token: undefined,
    caps: [],
    random: () => (dice.chance.length > 1 ? dice.chance.shift()! : dice.chance[0]!),
    out: act,
    ...options,
  });

  const fakeLink = (link: number, url: string, protocols: string[]): FakeLink => {
    const answered = new Set<number>();
    const self: FakeLink = {
      link,
      url,
      protocols,
      sent: [],
      closedWith: undefined,
      opens: () => machine.socketOpened(link, world.nowMs),
      says: (frame) => machine.socketReceived(link, JSON.stringify(frame), world.nowMs),
      closes: (code, reason = '') => machine.socketClosed(link, code, reason, world.nowMs),
      answers(answers = {}) {
        for (const frame of self.sent) {
          const id = frame['id'] as number;
          if (frame['op'] !== 'sub' || answered.has(id)) continue;
          answered.add(id);
          const c = (frame['c'] as { c: string; from?: { e: string; o: number } }[]).map(
            ({ c: topic, from }) => ({
              c: topic,
              e: from?.e ?? 'e1',
              o: from?.o ?? 0,
              ...(from && { rec: true }),
              ...answers[topic],
            }),
          );
          self.says({ op: 'ok', id, c });
        }
      },
      welcomes({ gateway = 'g', pingMs = 25_000, maxFrameBytes = 65_536, perSec = 20, lookup = [] }) {
        self.says({
          op: 'welcome',
          v: 1,
          caps: [],
          conn: `c${link}`,
          gateway,
          pingMs,
          max: { frame: maxFrameBytes, topics: 128, perSec },
          lookup,
        });
      },
      accepts({ answers, ...welcome } = {}) {
        self.opens();
        self.welcomes(welcome);
        self.answers(answers);
      },
    };
    return self;
  };

  const world: FakeWorld = {
    machine,
    links: [],
    lookups: [],
    events: [],
    settled: new Map(),
    nowMs: 0,
    set chance(next: number[]) {
      dice.chance = next;
    },
    last: () => world.links.at(-1)!,
    of: (name) => world.events.filter((event) => event.name === name).map(({ detail }) => detail) as never,
    data: () => world.of('message').map(({ data }) => data),
    answer: (answer) => machine.lookedUp(asked, answer, world.nowMs),
    finds(...gateways) {
      const picks = gateways.map((gateway) => ({
        gateway,
        url: `ws://${gateway}:1/ws`,
        ticket: `t1.h1.${gateway}`,
      }));
      const [best, ...alternates] = picks;
      const body = { lookupId: 'l', ...best, alternates, backoff: { minMs: 1_000, maxMs: 8_000 } };
      world.answer(judgeLookup(200, undefined, JSON.stringify(body)));
    },
    refuses: (body, status = 503, retryAfterMs) =>
      world.answer(judgeLookup(status, retryAfterMs, JSON.stringify(body))),
    silence: () => world.answer({ is: 'silent', why: 'refused' }),
    passes(ms) {
      const endMs = world.nowMs + ms;
      for (;;) {
        const due = [...timers].filter(([, atMs]) => atMs <= endMs).sort((a, b) => a[1] - b[1])[0];
        if (!due) break;
        timers.delete(due[0]);
        world.nowMs = Math.max(world.nowMs, due[1]);
        machine.timerFired(due[0], world.nowMs);
      }
      world.nowMs = endMs;
    },
    timer: (name) => {
      const atMs = timers.get(name);
      return atMs === undefined ? undefined : atMs - world.nowMs;
    },
  };
  return world;
}

/** A world whose client is live on gateway `g1`. */
export function liveWorld(options: Partial<MachineParts> = {}): FakeWorld {
  const world = createFakeWorld(options);
  world.machine.start(0);
  world.finds('g1', 'g2');
  world.last().accepts({ gateway: 'g1' });
  return world;
}
