// One pool of gateways: its members, its policy, what was learnt of the fleet as a whole, and the views that
// lookups draw from. Owned by the load table; renewed every 100 ms at most, never by a scan in a lookup.

import type { PoolPolicy } from './balancer-options.ts';
import type { Removal } from './balancer-types.ts';
import type { Wish } from './candidate-view.ts';
import { CandidateView } from './candidate-view.ts';
import { ConnectShare } from './connect-share.ts';
import type { FleetFactors } from './expected-load.ts';
import { expectedLoad } from './expected-load.ts';
import { FleetCost } from './fleet-cost.ts';
import type { GatewaySlots } from './gateway-slots.ts';
import { INVERSE_CAPACITY, OPEN, STRIDE } from './gateway-slots.ts';
import { HotKeys } from './hot-keys.ts';
import { LookupRates } from './lookup-rates.ts';
import { ReplicaShare } from './replica-share.ts';
import { TokenBucket } from './token-bucket.ts';

const RENEW_MS = 100;
const COST_ROUND_MS = 2_000;
/** Kinds of lookup whose view is kept; the oldest goes. */
const MAX_VIEWS = 128;
/** A view over more gateways than this is rebuilt at most every 50 ms, however fast the fleet changes. */
const SMALL_VIEW = 512;
const REBUILD_MS = 50;
/** Load above this is as bad as it gets; keeps one broken report from moving the mean. */
const MEAN_CLAMP = 2;

export class Pool {
  readonly name: string;
  readonly policy: PoolPolicy;
  readonly members = new Set<number>();
  readonly rates = new LookupRates();
  readonly hotKeys = new HotKeys();
  readonly connects = new ConnectShare();
  readonly share = new ReplicaShare();
  readonly cost = new FleetCost();
  readonly bucket: TokenBucket;
  readonly factors: FleetFactors = { pending: 0.95, handshake: 0.002 };
  /** Grows when a member opens, closes or changes its place. */
  version = 0;
  /** d of the present moment. */
  draws: number;
  /** Capacity-weighted mean of expected load over open members. */
  meanLoad = 0;
  /** When its losses were last judged. */
  judgedAtMs = -Infinity;
  openCapacity = 0;
  /** What a refusal last counted; refusals come in crowds and each count is a scan. */
  lastRemoval: { atMs: number; removal: Removal } | undefined;
  readonly #slots: GatewaySlots;
  readonly #views = new Map<string, CandidateView>();
  #renewedAtMs: number | undefined;
  #costRoundAtMs = -Infinity;
  /** The last moment at which the fleet's cost was still a guess. */
  #costKnownAtMs = -Infinity;

  constructor(name: string, policy: PoolPolicy, slots: GatewaySlots) {
    this.name = name;
    this.policy = policy;
    this.draws = policy.draws;
    this.bucket = new TokenBucket(policy.lookupsPerSec, policy.lookupBurst);
    this.#slots = slots;
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
    this.#measure(nowMs);
    // A Herald that has just started must not hold its guess, or the first gateways' cost, against the rest.
    const learning = !this.cost.known || nowMs - this.#costKnownAtMs < COST_ROUND_MS;
    if (learning || nowMs - this.#costRoundAtMs >= COST_ROUND_MS || nowMs < this.#costRoundAtMs) {
      this.#costRoundAtMs = nowMs;
      this.#costRound(learning);
      if (!this.cost.known) this.#costKnownAtMs = nowMs;
    }
  }

  /** The view for required `labels` and, when there are wishes, of those that match one of them. */
  view(labels: Record<string, string>, wishes: readonly Wish[], nowMs: number): CandidateView {
    const key = viewKey(labels, wishes);
    const kept = this.#views.get(key);
    if (kept) {
      const due = kept.size < SMALL_VIEW || nowMs - kept.builtAtMs >= REBUILD_MS || nowMs < kept.builtAtMs;
      if (kept.builtVersion === this.version || !due) return kept;
      this.#views.delete(key);
    } else if (this.#views.size >= MAX_VIEWS) {
      const oldest = this.#views.keys().next();
      if (!oldest.done) this.#views.delete(oldest.value);
    }
    const question = { labels, wishes };
    const view = new CandidateView(
      this.#slots,
      this.members,
      question,
      this.version,
      nowMs,
      kept?.turn ?? 0,
      this.policy.maxCapacityRatio,
    );
    this.#views.set(key, view);
    return view;
  }

  #measure(nowMs: number): void {
    const hot = this.#slots.hot;
    let load = 0;
    let capacity = 0;
    for (const slot of this.members) {
      const at = slot * STRIDE;
      if (hot[at + OPEN] !== 1) continue;
      const size = 1 / hot[at + INVERSE_CAPACITY]!;
      load += Math.min(expectedLoad(hot, at, this.factors, nowMs), MEAN_CLAMP) * size;
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
      costs.push((record.correctedScore * record.capacity) / record.visibleConnections);
      connections.push(record.visibleConnections);
    }
    this.cost.round(costs, connections, anew);
  }
}

function viewKey(labels: Record<string, string>, wishes: readonly Wish[]): string {
  const keys = Object.keys(labels);
  if (keys.length === 0 && wishes.length === 0) return '';
  const required = keys.sort().map((key) => `${key}=${labels[key]!}`);
  const wished = wishes.map((wish) => `${wish.key ?? ''}=${wish.value}@${wish.weight}`);
  return `${required.join('&')}?${wished.join('&')}`;
}
