// Advice on the size of a pool, from the load that placing and moving use, not from connection counts. Up at
// once, down slowly: a gateway too many costs money, one too few costs users.

import type { AutoscaleAdvice } from './balancer-types.ts';
import type { FleetFactors } from './expected-load.ts';
import { unbarredLoad, unconfirmedLoad } from './expected-load.ts';
import type { GatewaySlots } from './gateway-slots.ts';
import { INVERSE_CAPACITY, OPEN, SHUT, STRIDE } from './gateway-slots.ts';
import type { Pool } from './pool.ts';

const SAMPLE_MS = 5_000;
/** What the slope looks back on, so that noise does not look like growth; none is known before half of it was seen. */
const SLOPE_MS = 120_000;
/** How far ahead growth is provided for: about the time a new gateway needs to be there. */
const LEAD_SEC = 150;
const DOWN_EACH_MS = 30_000;
const DOWN_MEMORY_MS = 360_000;
const LOAD_CLAMP = 1.5;

interface Fleet {
  load: number;
  capacity: number;
  count: number;
  most: number;
  /** Open gateways, the least work first. */
  byWork: { gateway: string; work: number }[];
}

interface LoadSample {
  atMs: number;
  load: number;
}

export class Autoscale {
  readonly #pool: Pool;
  readonly #slots: GatewaySlots;
  readonly #loads: LoadSample[] = [];
  /** Members of the pool that were open at some time. */
  #met = new Set<string>();
  readonly #sizes: { atMs: number; size: number }[] = [];
  #sampledAtMs: number | undefined;
  #loweredAtMs = -Infinity;
  #desired: number | undefined;

  constructor(pool: Pool, slots: GatewaySlots) {
    this.#pool = pool;
    this.#slots = slots;
  }

  tick(nowMs: number): void {
    if (
      this.#sampledAtMs !== undefined &&
      nowMs - this.#sampledAtMs < SAMPLE_MS &&
      nowMs >= this.#sampledAtMs
    )
      return;
    this.#sampledAtMs = nowMs;
    const fleet = this.#fleet(nowMs);
    if (fleet.count === 0) return;
    this.#sampleLoad(fleet, nowMs);
    const size = this.#sizeFor(fleet);
    this.#sizes.push({ atMs: nowMs, size });
    while (this.#sizes.length > 1 && nowMs - this.#sizes[0]!.atMs > DOWN_MEMORY_MS) this.#sizes.shift();
    this.#follow(size, fleet.count, nowMs);
  }

  advice(nowMs: number): AutoscaleAdvice {
    const fleet = this.#fleet(nowMs);
    const desired = this.#kept(fleet.count, nowMs);
    const spare = Math.max(0, fleet.count - desired);
    return {
      desired,
      current: fleet.count,
      loadSum: rounded(fleet.load),
      loadAvg: rounded(fleet.capacity > 0 ? fleet.load / fleet.capacity : 0),
      loadMax: rounded(fleet.most),
      target: this.#pool.policy.sizeTarget,
      drainCandidates: fleet.byWork.slice(0, spare).map(({ gateway }) => gateway),
      reason: this.#reason(desired, fleet),
    };
  }

  /**
   * What a gateway brings when it is first seen was there before: it is no growth that a Herald meets its fleet
   * one by one.
   */
  #sampleLoad({ load, byWork }: Fleet, nowMs: number): void {
    const met = new Set(byWork.map(({ gateway }) => gateway));
    for (const slot of this.#pool.members) {
      const { gateway } = this.#slots.records[slot]!;
      if (this.#met.has(gateway)) met.add(gateway);
    }
    const brought = byWork.reduce((sum, { gateway, work }) => (this.#met.has(gateway) ? sum : sum + work), 0);
    this.#met = met;
    for (const sample of this.#loads) sample.load += brought;
    this.#loads.push({ atMs: nowMs, load });
    while (nowMs - this.#loads[0]!.atMs >= SLOPE_MS) this.#loads.shift();
  }

  #follow(size: number, current: number, nowMs: number): void {
    const desired = this.#kept(current, nowMs);
    if (size >= desired) {
      this.#desired = size;
      this.#loweredAtMs = nowMs;
      return;
    }
    const highest = Math.max(...this.#sizes.map((sample) => sample.size));
    this.#desired = desired;
    if (!this.#remembersEnough(nowMs) || highest >= desired || nowMs - this.#loweredAtMs < DOWN_EACH_MS)
      return;
    this.#desired = desired - 1;
    this.#loweredAtMs = nowMs;
  }

  /**
   * The advice so far. No gateway is advised away before six minutes were seen: a Herald that has just started
   * knew only the first gateways of its fleet when it first advised.
   */
  #kept(current: number, nowMs: number): number {
    const desired = this.#desired ?? current;
    return this.#remembersEnough(nowMs) ? desired : Math.max(desired, current);
  }

  #remembersEnough(nowMs: number): boolean {
    const [first] = this.#sizes;
    return first !== undefined && nowMs - first.atMs >= DOWN_MEMORY_MS - SAMPLE_MS;
  }

  /** size = max(ceil(Wf/(target*C1)), ceil(Wf/(targetAfterLoss*C1)) + 1), C1 = capacity of an average gateway. */
  #sizeFor(fleet: Fleet): number {
    const one = fleet.capacity / fleet.count;
    const expected = fleet.load + Math.max(0, slopePerSec(this.#loads)) * LEAD_SEC;
    const { sizeTarget, sizeTargetAfterLoss } = this.#pool.policy;
    return Math.max(
      Math.ceil(expected / (sizeTarget * one)),
      Math.ceil(expected / (sizeTargetAfterLoss * one)) + 1,
    );
  }

  #reason(desired: number, fleet: Fleet): string {
    if (fleet.count === 0) return 'no gateway reports';
    if (this.#desired === undefined) return 'too early to say';
    if (desired > fleet.count) return 'load or its growth needs more gateways';
    if (desired < fleet.count) return 'the load of the last six minutes fits fewer gateways';
    return 'fits';
  }

  #fleet(nowMs: number): Fleet {
    const fleet: Fleet = { load: 0, capacity: 0, count: 0, most: 0, byWork: [] };
    for (const slot of this.#pool.members) {
      const at = slot * STRIDE;
      if (this.#slots.hot[at + OPEN] === SHUT) continue;
      const record = this.#slots.records[slot]!;
      const load = Math.min(LOAD_CLAMP, borneLoad(this.#slots.hot, at, this.#pool.factors, nowMs));
      const capacity = 1 / this.#slots.hot[at + INVERSE_CAPACITY]!;
      fleet.load += load * capacity;
      fleet.capacity += capacity;
      fleet.count++;
      fleet.most = Math.max(fleet.most, load);
      fleet.byWork.push({ gateway: record.gateway, work: load * capacity });
    }
    fleet.byWork.sort((a, b) => a.work - b.work);
    return fleet;
  }
}

/** Without what lookups alone speak for: who comes of them is in the next reports, and nobody need come. */
function borneLoad(hot: Float64Array, at: number, factors: FleetFactors, nowMs: number): number {
  return unbarredLoad(hot, at, factors, nowMs) - unconfirmedLoad(hot, at, factors, nowMs);
}

/** Least-squares slope of the samples; 0 while they say too little. */
function slopePerSec(samples: readonly LoadSample[]): number {
  if (samples.at(-1)!.atMs - samples[0]!.atMs < SLOPE_MS / 2) return 0;
  const middle = meanOf(samples.map(({ atMs }) => atMs));
  const mean = meanOf(samples.map(({ load }) => load));
  let upper = 0;
  let lower = 0;
  for (const { atMs, load } of samples) {
    upper += (atMs - middle) * (load - mean);
    lower += (atMs - middle) ** 2;
  }
  return (1_000 * upper) / lower;
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function rounded(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
