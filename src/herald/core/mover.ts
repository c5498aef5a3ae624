// (2) Moving: connections live for hours and never move by themselves, so a gateway that became too hot (or
// one that is new and empty) needs orders. Decided every 10 s by the one Herald that holds the lease; an
// order travels in the answer to the gateway's report and is an amount of work, not a list of connections.

import type { ShedOrder } from '../../protocol/load-report.ts';
import type { MoverMode, MoverRecord } from './balancer-types.ts';
import { unbarredLoad } from './expected-load.ts';
import type { GatewayRecord, GatewaySlots } from './gateway-slots.ts';
import { BAR, CONNECTIONS, COST, INVERSE_CAPACITY, OPEN, SHUT, STRIDE } from './gateway-slots.ts';
import type { Pool } from './pool.ts';
import { viewKey } from './pool-views.ts';

const ROUND_MS = 10_000;
const SPREAD_MS = 9_000;
const START_APART = 0.1;
const STOP_APART = 0.04;
const ROUNDS_RUNNING = 3;
const ROUNDS_NEAR = 2;
const LOAD_CLAMP = 2;
/** Share of its connections a gateway may be told to move per minute, and while it is close to full. */
const CALM_PER_MIN = 0.02;
const HOT_PER_MIN = 0.1;
const HOT_LOAD = 0.9;
/** Tokens do not pile up past one round's: a large order at once would be a small herd of its own. */
const MIN_BURST = 2;
/** A gateway picks the heaviest of eight, which cost about four times the mean. */
const HEAVY = 4;
/** Fewer are ordered than average ones would take: the tail of an order would be many light ones. */
const LEAST_HEAVY = 2;
/** Work of an order in average connections, at least: little work would again mean light ones. */
const LEAST_ORDER = 20;
/** Part of the last round's work that the reports do not show yet: it spreads over 9 s and then ramps up. */
const UNSEEN_OF_LAST = 0.5;
/** Arrivals of the next minute fill a receiver without anybody moving. */
const ARRIVALS_MS = 60_000;
const KEPT_ORDERS = 200;

interface Member {
  slot: number;
  gateway: string;
  capacity: number;
  load: number;
  connections: number;
  cost: number;
  /** Nobody is sent to it. */
  barred: boolean;
  /** Labels that most of its clients require and not all gateways have. */
  requires: string;
}

interface Standing {
  aboveFor: number;
  belowFor: number;
  /** Rounds running within STOP_APART below the mean or above it. */
  nearFor: number;
  donor: boolean;
  receiver: boolean;
  tokens: number;
  picksBefore: number;
  /** Load it was told to move in the round before. */
  orderedLast: number;
}

export class Mover {
  mode: MoverMode;
  readonly #pool: Pool;
  readonly #slots: GatewaySlots;
  readonly #standings = new Map<string, Standing>();
  readonly #waiting = new Map<string, MoverRecord>();
  readonly orders: MoverRecord[] = [];
  #roundAtMs: number | undefined;
  readonly #bootMark: string;
  #orderNumber = 0;

  /** `bootMark` keeps the orders of this Herald apart from another's and from its own before a restart. */
  constructor(pool: Pool, slots: GatewaySlots, bootMark: string) {
    this.#bootMark = bootMark;
    this.#pool = pool;
    this.#slots = slots;
    this.mode = pool.policy.mover;
  }

  /** Stops at once: what was decided and not yet fetched lapses. */
  stop(): void {
    for (const order of this.#waiting.values()) order.state = 'lapsed';
    this.#waiting.clear();
    this.#standings.clear();
    this.#roundAtMs = undefined;
  }

  /** The order for `gateway`, once. No round ends it while the pool is frozen, so its age does. */
  take(gateway: string, nowMs: number): ShedOrder | undefined {
    const order = this.#waiting.get(gateway);
    if (!order) return undefined;
    this.#waiting.delete(gateway);
    order.state = nowMs - order.atMs > ROUND_MS ? 'lapsed' : 'taken';
    if (order.state === 'lapsed') return undefined;
    const { orderId, count, spreadMs, work } = order;
    return { orderId, count, spreadMs, ...(work !== undefined && { work }) };
  }

  tick(nowMs: number): void {
    if (this.mode === 'off') {
      if (this.#standings.size > 0 || this.#waiting.size > 0) this.stop();
      return;
    }
    if (this.#roundAtMs === undefined || nowMs < this.#roundAtMs) this.#roundAtMs = nowMs;
    if (nowMs - this.#roundAtMs < ROUND_MS) return;
    const tookMs = Math.min(60_000, nowMs - this.#roundAtMs);
    this.#roundAtMs = nowMs;
    for (const order of this.#waiting.values()) order.state = 'lapsed';
    this.#waiting.clear();
    this.#round(tookMs, nowMs);
  }

  #round(tookMs: number, nowMs: number): void {
    const members = this.#members(nowMs);
    const groups = new Map<string, Member[]>();
    for (const member of members) {
      const group = groups.get(member.requires);
      if (group) group.push(member);
      else groups.set(member.requires, [member]);
    }
    for (const group of groups.values()) this.#level(group, tookMs, nowMs);
    this.#forgetGone(members);
  }

  /** One round among gateways whose clients can be moved from any to any. */
  #level(members: readonly Member[], tookMs: number, nowMs: number): void {
    const capacity = members.reduce((sum, member) => sum + member.capacity, 0);
    if (members.length < 2 || !(capacity > 0)) return;
    const mean = members.reduce((sum, member) => sum + member.load * member.capacity, 0) / capacity;
    let room = 0;
    for (const member of members) {
      const standing = this.#judge(member, mean, tookMs);
      room -= UNSEEN_OF_LAST * standing.orderedLast;
      standing.orderedLast = 0;
      if (standing.receiver && !member.barred) room += this.#roomOf(member, standing, mean, tookMs);
      standing.picksBefore = arrivalPicks(this.#slots, member.slot);
    }
    const givers = members.filter((member) => member.load > mean).sort((a, b) => b.load - a.load);
    const surplus = givers.reduce((sum, member) => sum + (member.load - mean) * member.capacity, 0);
    let left = Math.max(0, room);
    for (const member of givers) {
      const standing = this.#standings.get(member.gateway)!;
      const excess = (member.load - mean) * member.capacity;
      if (standing.donor) {
        this.#order(member, standing, excess, nowMs);
        continue;
      }
      const oneCosts = member.cost * member.capacity;
      const part = Math.max((room * excess) / surplus, LEAST_ORDER * oneCosts);
      left -= this.#order(member, standing, Math.min(excess, part, left), nowMs);
    }
  }

  #judge(member: Member, mean: number, tookMs: number): Standing {
    let standing = this.#standings.get(member.gateway);
    if (!standing) {
      const picksBefore = arrivalPicks(this.#slots, member.slot);
      standing = {
        aboveFor: 0,
        belowFor: 0,
        nearFor: 0,
        donor: false,
        receiver: false,
        tokens: 0,
        picksBefore,
        orderedLast: 0,
      };
      this.#standings.set(member.gateway, standing);
    }
    const apart = member.load - mean;
    standing.aboveFor = apart > START_APART ? standing.aboveFor + 1 : 0;
    standing.belowFor = apart < -START_APART ? standing.belowFor + 1 : 0;
    standing.donor = standing.donor ? apart >= STOP_APART : standing.aboveFor >= ROUNDS_RUNNING;
    // Movers just arriving weigh more in E than they will: one round near the mean is not the end of it.
    standing.nearFor = apart > -STOP_APART ? standing.nearFor + 1 : 0;
    standing.receiver = standing.receiver
      ? standing.nearFor < ROUNDS_NEAR
      : standing.belowFor >= ROUNDS_RUNNING;
    const perMin = (member.load > HOT_LOAD ? HOT_PER_MIN : CALM_PER_MIN) * member.connections;
    const perRound = (perMin * tookMs) / 60_000;
    standing.tokens = Math.min(Math.max(MIN_BURST, perRound), standing.tokens + perRound);
    return standing;
  }

  /** Load a receiver can take beyond what arrivals bring it within a minute. */
  #roomOf(member: Member, standing: Standing, mean: number, tookMs: number): number {
    const picks = arrivalPicks(this.#slots, member.slot) - standing.picksBefore;
    const arriving = Math.max(0, picks) * (ARRIVALS_MS / tookMs) * this.#pool.factors.pending;
    return Math.max(0, (mean - member.load) * member.capacity - arriving * member.cost * member.capacity);
  }

  /** Orders `work` of one gateway as far as its tokens go; returns the work that will probably be done. */
  #order(member: Member, standing: Standing, work: number, nowMs: number): number {
    const oneCosts = member.cost * member.capacity;
    if (!(work >= oneCosts) || !(oneCosts > 0)) return 0;
    const count = Math.min(Math.floor(standing.tokens), Math.ceil(work / (LEAST_HEAVY * oneCosts)));
    if (count < 1) return 0;
    standing.tokens -= count;
    const done = Math.min(work, HEAVY * count * oneCosts);
    standing.orderedLast = done;
    const order: MoverRecord = {
      orderId: `move-${this.#bootMark}-${++this.#orderNumber}`,
      count,
      work,
      spreadMs: SPREAD_MS,
      pool: this.#pool.name,
      gateway: member.gateway,
      atMs: nowMs,
      state: this.mode === 'on' ? 'waiting' : 'dry',
      why: standing.donor ? 'donor' : 'receivers',
    };
    if (order.state === 'waiting') this.#waiting.set(member.gateway, order);
    this.orders.push(order);
    if (this.orders.length > KEPT_ORDERS) this.orders.shift();
    return done;
  }

  #members(nowMs: number): Member[] {
    const hot = this.#slots.hot;
    const members: Member[] = [];
    for (const slot of this.#pool.members) {
      const at = slot * STRIDE;
      if (hot[at + OPEN] === SHUT) continue;
      const record = this.#slots.records[slot]!;
      members.push({
        slot,
        gateway: record.gateway,
        capacity: 1 / hot[at + INVERSE_CAPACITY]!,
        load: Math.min(LOAD_CLAMP, unbarredLoad(hot, at, this.#pool.factors, nowMs)),
        connections: hot[at + CONNECTIONS]!,
        cost: hot[at + COST]!,
        barred: hot[at + BAR]! > 0,
        requires: this.#requires(record),
      });
    }
    return members;
  }

  #requires({ mostRequire: { labels } }: GatewayRecord): string {
    const { members, views } = this.#pool;
    return labels && views.having(labels).size < members.size ? viewKey(labels) : '';
  }

  #forgetGone(members: readonly Member[]): void {
    if (this.#standings.size === members.length) return;
    const present = new Set(members.map((member) => member.gateway));
    for (const gateway of this.#standings.keys()) if (!present.has(gateway)) this.#standings.delete(gateway);
  }
}

/** Lookups that named it, those of our own orders apart: they are not arrivals that would come anyway. */
function arrivalPicks(slots: GatewaySlots, slot: number): number {
  const record = slots.records[slot]!;
  return record.picks - record.movePicks;
}
