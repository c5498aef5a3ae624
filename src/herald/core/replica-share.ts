// What part of all tickets that gateways accept comes from this Herald. The others' tickets in flight are
// not known here; `s` = 1 / share stands for them, without gossip and without a leader.

import { REPORT_LIMITS } from '../../protocol/load-report.ts';

const WINDOW_MS = 30_000;
/** A Herald whose tickets no gateway has accepted for this long is not counted any more. */
const GONE_AFTER_MS = 60_000;
/** A gateway could make up any number of Heralds, and so could two that belong to one machine: a third has to agree, */
const WITNESSES = 3;
/** where two are a minority. Of fewer gateways two have to agree. */
const WITNESSES_OF_FEW = 2;
const FEW_GATEWAYS = 4;
/** Heralds that too few name are remembered up to this many; those that were named longest ago make room. */
const MAX_CLAIMED = 4_096;

/** How many gateways of a pool that has so many must name another Herald for it to count. */
export function witnessesOf(gateways: number): number {
  return gateways > FEW_GATEWAYS ? WITNESSES : Math.min(WITNESSES_OF_FEW, gateways);
}

/** What one report says of the tickets of one Herald. */
export interface AcceptedTickets {
  heraldId: string;
  isOwn: boolean;
  count: number;
  gateway: string;
  /** See `witnessesOf`. */
  witnesses: number;
}

/** A Herald that too few gateways name. */
interface ClaimedHerald {
  atMs: number;
  namedBy: string[];
  /** What they said, for when there are enough. */
  tickets: number;
}

export class ReplicaShare {
  #own = 0;
  #all = 0;
  #fadedAtMs: number | undefined;
  /** When Heralds that count were last heard of. */
  readonly #seenAtMs = new Map<string, number>();
  readonly #claimed = new Map<string, ClaimedHerald>();

  count(accepted: AcceptedTickets, nowMs: number): void {
    const { heraldId, isOwn } = accepted;
    if (!(accepted.count > 0)) return;
    const isSeen = isOwn || this.#seenAtMs.has(heraldId);
    const count = isSeen ? accepted.count : this.#believed(accepted, nowMs);
    if (count === 0) return;
    this.#seenAtMs.set(heraldId, nowMs);
    if (isOwn) this.#own += count;
    this.#all += count;
  }

  /** All its tickets so far, once enough name that Herald and there are no more than a report can name; else 0. */
  #believed({ heraldId, count, gateway, witnesses }: AcceptedTickets, nowMs: number): number {
    const before = this.#claimed.get(heraldId);
    const tickets = (before?.tickets ?? 0) + count;
    const namedBy = before?.namedBy ?? [];
    this.#claimed.delete(heraldId);
    if (!namedBy.includes(gateway)) namedBy.push(gateway);
    if (namedBy.length >= witnesses && this.#seenAtMs.size < REPORT_LIMITS.maxHeralds) return tickets;
    if (this.#claimed.size === MAX_CLAIMED) this.#claimed.delete(this.#claimed.keys().next().value!);
    this.#claimed.set(heraldId, { atMs: nowMs, namedBy: namedBy.slice(-witnesses), tickets });
    return 0;
  }

  roll(nowMs: number): void {
    const sinceMs = Math.max(0, nowMs - (this.#fadedAtMs ?? nowMs));
    this.#fadedAtMs = nowMs;
    const factor = Math.exp(-sinceMs / WINDOW_MS);
    this.#own *= factor;
    this.#all *= factor;
    for (const [heraldId, atMs] of this.#seenAtMs) {
      if (nowMs - atMs > GONE_AFTER_MS) this.#seenAtMs.delete(heraldId);
    }
    for (const [heraldId, { atMs }] of this.#claimed) {
      if (nowMs - atMs <= GONE_AFTER_MS) break;
      this.#claimed.delete(heraldId);
    }
  }

  /** s, 1..2*replicas. */
  get factor(): number {
    const replicas = Math.max(1, this.#seenAtMs.size);
    // A handful of tickets says nothing about shares.
    if (this.#all < 10) return replicas;
    return Math.min(2 * replicas, Math.max(1, this.#all / Math.max(this.#own, 1e-9)));
  }
}
