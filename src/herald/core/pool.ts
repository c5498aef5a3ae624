// One pool of gateways: its members, its policy, what was learnt of the fleet as a whole, and the views that
// lookups draw from. Owned by the load table; renewed every 100 ms at most, never by a scan in a lookup.

import type { PoolPolicy } from './balancer-options.ts';
import { mostCapacity } from './candidate-view.ts';
import { ConnectShare } from './connect-share.ts';
import type { FleetFactors } from './expected-load.ts';
import { unbarredLoad } from './expected-load.ts';
import { FleetCost } from './fleet-cost.ts';
import type { GatewayRecord, GatewaySlots } from './gateway-slots.ts';
import { INVERSE_CAPACITY, OPEN, SHUT, STRIDE } from './gateway-slots.ts';
import { HotKeys } from './hot-keys.ts';
import { LookupRates } from './lookup-rates.ts';
import { PoolViews } from './pool-views.ts';
import { ReplicaShare } from './replica-share.ts';
import { SizeCredit } from './size-credit.ts';
import { TokenBucket } from './token-bucket.ts';

const RENEW_MS = 100;
const COST_ROUND_MS = 2_000;
/** Load above this is as bad as it gets; keeps one broken report from moving the mean. */
const MEAN_CLAMP = 2;

export class Pool {
  readonly name: string;
  /** No other pool, before or after, has the same. */
  readonly number: number;
  readonly policy: PoolPolicy;
  readonly members = new Set<number>();
  readonly rates = new LookupRates();
  readonly hotKeys = new HotKeys();
  readonly connects = new ConnectShare();
  readonly share = new ReplicaShare();
  readonly sizes = new SizeCredit();
  /** Clients of this Herald that its gateways let in so far. */
  letIn = 0;
  readonly cost = new FleetCost();
  readonly bucket: TokenBucket;
  readonly factors: FleetFactors = { pending: 0.95, handshake: 0.002 };
  /** d of the present moment. */
  draws: number;
  /** Capacity-weighted mean of expected load over open members. */
  meanLoad = 0;
  /** How many more present than lost when that was last judged, less two for each that was shut since; -1 = to be judged. */
  lossMargin = 0;
  openCapacity = 0;
  readonly views: PoolViews;
  readonly #slots: GatewaySlots;
  #mostCapacity = Infinity;
  #claimsChanged = false;
  #renewedAtMs: number | undefined;
  #costRoundAtMs = -Infinity;
  /** The last moment at which the fleet's cost was still a guess. */
  #costKnownAtMs = -Infinity;

  constructor(name: string, number: number, policy: PoolPolicy, slots: GatewaySlots) {
    this.name = name;
    this.number = number;
    this.policy = policy;
    this.draws = policy.draws;
    this.bucket = new TokenBucket(policy.lookupsPerSec, policy.lookupBurst);
    this.views = new PoolViews(slots, this.members, policy.maxCapacityRatio);
    this.#slots = slots;
  }

  join(record: GatewayRecord): void {
    record.pool = this.name;
    record.poolNumber = this.number;
    this.members.add(record.slot);
    this.#claimsChanged = true;
    this.views.joined(record);
  }

  /** To be called before anything that `record` says of itself changes. */
  leave(record: GatewayRecord): void {
    this.members.delete(record.slot);
    this.#claimsChanged = true;
    this.views.left(record);
  }

  /** Refreshes rates, factors, mean and fleet cost when it is time; cheap when it is not. */
  renew(nowMs: number, leftOut: { pending?: boolean; handshake?: boolean }): void {
    const sinceMs = this.#renewedAtMs === undefined ? Infinity : nowMs - this.#renewedAtMs;
    if (sinceMs >= 0 && sinceMs < RENEW_MS) return;
    this.#renewedAtMs = nowMs;
    this.rates.roll(nowMs);
    this.connects.roll(nowMs);
    this.share.roll(nowMs);
    this.draws = this.rates.drawsFor(this.policy.draws);
    const coming = this.share.factor * this.connects.share;
    this.factors.pending = leftOut.pending ? 0 : coming;
    this.factors.handshake = leftOut.handshake ? 0 : coming * this.policy.handshakeSeconds;
    if (this.#claimsChanged) this.#boundClaims();
    this.#measure(nowMs);
    // A Herald that has just started must not hold its guess, or the first gateways' cost, against the rest.
    const learning = !this.cost.known || nowMs - this.#costKnownAtMs < COST_ROUND_MS;
    if (learning || nowMs - this.#costRoundAtMs >= COST_ROUND_MS || nowMs < this.#costRoundAtMs) {
      this.#costRoundAtMs = nowMs;
      this.#costRound(learning);
      if (!this.cost.known) this.#costKnownAtMs = nowMs;
    }
  }

  /** Of a claimed capacity. */
  counted(claimed: number): number {
    return Math.min(claimed, this.#mostCapacity);
  }

  #boundClaims(): void {
    this.#claimsChanged = false;
    const members = [...this.members];
    const claimed = Float64Array.from(members, (slot) => this.#slots.records[slot]!.capacity);
    this.#mostCapacity = mostCapacity(claimed, this.policy.maxCapacityRatio);
    let changes = false;
    for (const [i, slot] of members.entries()) {
      const at = slot * STRIDE + INVERSE_CAPACITY;
      const inverse = 1 / this.counted(claimed[i]!);
      changes ||= this.#slots.hot[at] !== inverse;
      this.#slots.hot[at] = inverse;
    }
    if (changes) this.views.changed();
  }

  #measure(nowMs: number): void {
    const hot = this.#slots.hot;
    let load = 0;
    let capacity = 0;
    for (const slot of this.members) {
      const at = slot * STRIDE;
      if (hot[at + OPEN] === SHUT) continue;
      const size = 1 / hot[at + INVERSE_CAPACITY]!;
      load += Math.min(unbarredLoad(hot, at, this.factors, nowMs), MEAN_CLAMP) * size;
      capacity += size;
    }
    this.openCapacity = capacity;
    this.meanLoad = capacity > 0 ? load / capacity : 0;
  }

  /** What another Herald wrote of a gateway counts too: at a start it is all there is. */
  #costRound(anew: boolean): void {
    const costs: number[] = [];
    const connections: number[] = [];
    for (const slot of this.members) {
      const record = this.#slots.records[slot]!;
      if (!record.countsConnections || !(record.visibleConnections > 0)) continue;
      const visible = record.visibleConnections;
      const caused = Math.max(0, record.correctedScore - record.idleScore);
      costs.push(caused / this.#slots.hot[slot * STRIDE + INVERSE_CAPACITY]! / visible);
      // In a storm the load is handshakes, and the few that are visible are not its cause.
      connections.push(visible * (visible / (visible + record.youngConnections)) ** 2);
    }
    this.cost.round(costs, connections, anew);
  }
}
