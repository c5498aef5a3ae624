// Who is named, through whatever happens between two ticks: losses, resets, sleeps of Herald's own, drains, restarts,
// rows of another Herald. What the network does is known here, so it is known who may be named.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Balancer } from '../../../src/herald/core/balancer-types.ts';
import type { LookupRequest } from '../../../src/protocol/lookup.ts';
import { aBalancer, aLookup, aReport, seeded } from '../../unit/herald-core/given.ts';

const PERIOD_MS = 500;
const STALE_MS = 2_000;
const TICK_MS = 100;
/** Herald's hold after a sleep, and the tick that ends it. */
const HOLD_MS = 1_000 + TICK_MS;
const LONG_SLEEP_MS = 2_000;
const SIDES = ['left', 'right'];

type Step =
  | { do: 'pass' | 'sleep'; ms: number }
  | { do: 'kill' | 'hang' | 'start' | 'drain' | 'maint' | 'ready' | 'goodbye' | 'excluded'; gateway: number }
  | { do: 'cut' | 'reset' | 'heal' | 'rows' };

const some = fc.nat(5);
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 700 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 9_000 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('sleep' as const), ms: fc.integer({ min: 300, max: 4_000 }) }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom('kill', 'hang', 'start', 'start', 'drain', 'maint', 'ready', 'goodbye', 'excluded'),
      gateway: some,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom('cut', 'reset', 'heal', 'rows') }),
  },
);

interface Gateway {
  id: string;
  boot: number;
  seq: number;
  alive: boolean;
  /** It said goodbye and has not been heard since. */
  left: boolean;
  wanted: 'up' | 'drain' | 'maint';
  reportsAtMs: number;
  heardAtMs: number;
  suspectAtMs: number;
}

/** A fleet, the network to it and one Herald, on one clock. */
class World {
  readonly balancer: Balancer;
  readonly gateways: Gateway[];
  nowMs = 0;
  readonly #random: () => number;
  #tickAtMs = 0;
  #isCut = false;
  #heldUntilMs = -Infinity;
  /** From a long sleep until the first tick after the hold, however late that comes. */
  #isWaking = false;
  #steeredAtMs = -Infinity;

  constructor(count: number, seed: number) {
    this.#random = seeded(seed);
    this.balancer = aBalancer({ random: seeded(seed + 1) });
    this.gateways = Array.from({ length: count }, (_, i) => ({
      id: `gw-${i}`,
      boot: 0,
      seq: 0,
      alive: true,
      left: false,
      wanted: 'up',
      reportsAtMs: this.#random() * PERIOD_MS,
      heardAtMs: -Infinity,
      suspectAtMs: -Infinity,
    }));
    this.pass(1_500);
  }

  do(step: Step): void {
    const gateway = 'gateway' in step ? this.gateways[step.gateway % this.gateways.length]! : undefined;
    if (step.do === 'pass') this.pass(step.ms);
    else if (step.do === 'sleep') this.#sleep(step.ms);
    else if (step.do === 'cut') this.#isCut = true;
    else if (step.do === 'heal') this.#isCut = false;
    else if (step.do === 'reset') this.#resetAll();
    else if (step.do === 'rows') this.#hearOfOther();
    else if (gateway) this.#doTo(gateway, step.do);
    this.ask();
  }

  pass(ms: number): void {
    for (const untilMs = this.nowMs + ms; this.nowMs < untilMs; this.nowMs++) {
      for (const gateway of this.gateways) if (gateway.reportsAtMs <= this.nowMs) this.#report(gateway);
      if (this.nowMs >= this.#tickAtMs) this.#tick();
      if (this.nowMs % 7 === 0) this.ask();
    }
  }

  /** A plain lookup, one with a key, one with a label, and what must hold of their answers. */
  ask(wish: Partial<LookupRequest> = {}): void {
    const label = { side: SIDES[Math.floor(2 * this.#random())]! };
    const wishes = [wish, { ...wish, key: `k${Math.floor(9 * this.#random())}` }, { ...wish, labels: label }];
    for (const [i, asked] of wishes.entries()) {
      const verdict = this.balancer.lookup(aLookup({ alternates: 2, ...asked }), this.nowMs);
      const where = `at ${this.nowMs}: ${JSON.stringify(verdict)}`;
      if (verdict.ok) {
        for (const { gateway } of [verdict.best, ...verdict.alternates])
          this.#mayBeNamed(gateway, asked, where);
      } else if (i < 2 && this.#mustAnswer(asked.exclude ?? [])) throw new Error(`refused ${where}`);
    }
  }

  #tick(): void {
    this.balancer.tick(this.nowMs);
    this.#tickAtMs = this.nowMs + TICK_MS;
    if (this.nowMs >= this.#heldUntilMs - TICK_MS) this.#isWaking = false;
    for (const row of this.balancer.snapshot(this.nowMs).gateways) {
      for (const [field, value] of Object.entries(row)) {
        if (typeof value === 'number' && !(value >= 0 && value < Infinity))
          throw new Error(`${field} ${value}`);
      }
    }
    if (this.#isHeld) return;
    const present = this.gateways.filter((one) => this.#isWanted(one) && this.#isHeard(one)).length;
    if (this.balancer.isFrozen() && present > this.gateways.length / 2)
      throw new Error(`frozen at ${this.nowMs}`);
  }

  #report(gateway: Gateway): void {
    gateway.reportsAtMs = this.nowMs + PERIOD_MS * (0.9 + 0.2 * this.#random());
    if (!gateway.alive) return;
    gateway.seq++;
    if (this.#isCut) return;
    const { id, boot, seq } = gateway;
    const labels = { side: SIDES[Number(id.slice(3)) % 2]! };
    const said = aReport(id, { bootId: `boot-${boot}`, seq, labels });
    if (!this.balancer.report(said, this.nowMs).taken) throw new Error(`report of ${id} not taken`);
    gateway.left = false;
    gateway.heardAtMs = this.nowMs;
    gateway.suspectAtMs = -Infinity;
  }

  /** What comes meanwhile is heard in any order with the first lookups and the first tick. */
  #sleep(ms: number): void {
    const resets = this.#random() < 0.3;
    this.nowMs += ms;
    // The last tick may have been a while before.
    if (ms >= 1_000 - TICK_MS) this.#heldUntilMs = this.nowMs + HOLD_MS;
    if (ms >= LONG_SLEEP_MS - TICK_MS) this.#isWaking = true;
    const turns = [
      () => this.ask(),
      () => this.#tick(),
      () => (resets ? this.#resetAll() : undefined),
      ...this.gateways.map((gateway) => () => gateway.reportsAtMs <= this.nowMs && this.#report(gateway)),
    ];
    while (turns.length > 0) {
      turns.splice(Math.floor(this.#random() * turns.length), 1)[0]!();
      this.ask();
    }
  }

  #resetAll(): void {
    for (const gateway of this.gateways) this.#lose(gateway);
  }

  #lose(gateway: Gateway): void {
    if (gateway.suspectAtMs === -Infinity) gateway.suspectAtMs = this.nowMs;
    this.balancer.suspect(gateway.id, this.nowMs);
  }

  /** Another Herald is not cut off. */
  #hearOfOther(): void {
    const alive = this.gateways.filter((one) => one.alive && !one.left && one.seq > 0);
    const known = new Map(this.balancer.rows(this.nowMs).map((row) => [row.gateway, row]));
    const rows = alive.flatMap((one) => {
      const row = known.get(one.id);
      const ageMs = Math.floor(this.#random() * 400);
      if (!row || row.bootId !== `boot-${one.boot}` || row.seq >= one.seq) return [];
      one.heardAtMs = Math.max(one.heardAtMs, this.nowMs - ageMs);
      if (this.nowMs - ageMs > one.suspectAtMs + 250) one.suspectAtMs = -Infinity;
      return [{ ...row, seq: one.seq, ageMs }];
    });
    this.balancer.mergeRows(rows, this.nowMs);
  }

  #doTo(gateway: Gateway, deed: string): void {
    const { id } = gateway;
    if (deed === 'excluded') this.ask({ exclude: [id] });
    else if (deed === 'kill' || deed === 'hang') {
      gateway.alive = false;
      if (deed === 'kill' && !this.#isCut) this.#lose(gateway);
    } else if (deed === 'start') {
      if (gateway.alive) return;
      Object.assign(gateway, { alive: true, boot: gateway.boot + 1, seq: 0 });
      gateway.reportsAtMs = this.nowMs;
    } else if (deed === 'goodbye') {
      if (this.#isCut || !gateway.alive) return;
      Object.assign(gateway, { alive: false, left: true });
      this.balancer.leave(id, this.nowMs);
    } else {
      this.#steeredAtMs = this.nowMs;
      gateway.wanted = deed === 'ready' ? 'up' : (deed as 'drain' | 'maint');
      this.balancer.setDesired(
        id,
        { state: gateway.wanted, reason: '', author: '', untilEpochMs: 0 },
        this.nowMs,
      );
    }
  }

  #isWanted({ wanted, left }: Gateway): boolean {
    return wanted === 'up' && !left;
  }

  #isHeard({ heardAtMs, suspectAtMs }: Gateway): boolean {
    return suspectAtMs === -Infinity && this.nowMs - heardAtMs <= STALE_MS;
  }

  get #isHeld(): boolean {
    return this.nowMs <= this.#heldUntilMs;
  }

  /** Somebody is heard, or all were until the last period; what operators change is judged with the next tick. */
  #mustAnswer(exclude: readonly string[]): boolean {
    if (this.#isWaking) return false;
    const left = this.gateways.filter((one) => this.#isWanted(one) && !exclude.includes(one.id));
    if (left.some((one) => this.#isHeard(one))) return true;
    const lostAtMs = left.map((one) =>
      Math.min(one.suspectAtMs === -Infinity ? Infinity : one.suspectAtMs, one.heardAtMs + STALE_MS),
    );
    if (exclude.length > 0 || this.nowMs - this.#steeredAtMs <= TICK_MS) return false;
    return left.length >= 3 && lostAtMs.every((atMs) => this.nowMs - atMs < PERIOD_MS);
  }

  #mayBeNamed(id: string, { exclude = [], labels }: Partial<LookupRequest>, where: string): void {
    const gateway = this.gateways.find((one) => one.id === id)!;
    if (exclude.includes(id)) throw new Error(`excluded ${id} ${where}`);
    if (labels && labels['side'] !== SIDES[Number(id.slice(3)) % 2])
      throw new Error(`label of ${id} ${where}`);
    if (!this.#isWanted(gateway)) throw new Error(`unwanted ${id} ${where}`);
    if (this.balancer.isFrozen() || this.#isHeld) return;
    if (!this.#isHeard(gateway)) throw new Error(`lost ${id} ${where}`);
  }
}

const story = fc.tuple(fc.integer({ min: 1, max: 6 }), fc.nat(), fc.array(anyStep, { maxLength: 40 }));

describe('whatever happens between two ticks', () => {
  it('whoever is heard is named, whoever is not wanted or lost is not, and a cut fleet is answered from', () => {
    fc.assert(
      fc.property(story, ([count, seed, steps]) => {
        const world = new World(count, seed);
        for (const step of steps) world.do(step);
      }),
      { numRuns: 120 },
    );
  });

  it('two Heralds with the same rows agree on who is up', () => {
    fc.assert(
      fc.property(story, fc.nat(3_000), ([count, seed, steps], ageMs) => {
        const world = new World(count, seed);
        for (const step of steps) world.do(step);
        const rows = world.balancer.rows(world.nowMs).map((row) => ({ ...row, ageMs: row.ageMs + ageMs }));
        const [one, other] = [aBalancer(), aBalancer({ heraldId: 'h2' })];
        one.mergeRows(rows, 0);
        for (const row of rows.toReversed()) other.mergeRows([row, row], 0);
        for (const balancer of [one, other]) balancer.tick(1);
        const states = (balancer: Balancer): string[] =>
          balancer
            .snapshot(1)
            .gateways.map((row) => `${row.gateway} ${row.effectiveState}`)
            .sort();
        expect(states(other)).toEqual(states(one));
        expect(other.isFrozen()).toBe(one.isFrozen());
      }),
      { numRuns: 30 },
    );
  });
});
