// What part of all tickets that gateways accept comes from this Herald. The others' tickets in flight are
// not known here; `s` = 1 / share stands for them, without gossip and without a leader.

const WINDOW_MS = 30_000;
/** A Herald whose tickets no gateway has accepted for this long is not counted any more. */
const GONE_AFTER_MS = 60_000;

interface SeenHerald {
  atMs: number;
  /** The only gateway that names it, which could make up any number of Heralds; undefined once there is another. */
  onlyBy: string | undefined;
}

/** What one report says of the tickets of one Herald. */
export interface AcceptedTickets {
  heraldId: string;
  isOwn: boolean;
  count: number;
  gateway: string;
  /** Whether its pool has no other. */
  isAlone: boolean;
}

export class ReplicaShare {
  #own = 0;
  #all = 0;
  #fadedAtMs: number | undefined;
  readonly #seen = new Map<string, SeenHerald>();

  count({ heraldId, isOwn, count, gateway, isAlone }: AcceptedTickets, nowMs: number): void {
    if (!(count > 0)) return;
    const before = this.#seen.get(heraldId);
    const isOnly = before === undefined || before.onlyBy === gateway;
    const onlyBy = isOnly && !isOwn && !isAlone ? gateway : undefined;
    this.#seen.set(heraldId, { atMs: nowMs, onlyBy });
    if (onlyBy !== undefined) return;
    if (isOwn) this.#own += count;
    this.#all += count;
  }

  roll(nowMs: number): void {
    const sinceMs = Math.max(0, nowMs - (this.#fadedAtMs ?? nowMs));
    this.#fadedAtMs = nowMs;
    const factor = Math.exp(-sinceMs / WINDOW_MS);
    this.#own *= factor;
    this.#all *= factor;
    for (const [heraldId, { atMs }] of this.#seen) {
      if (nowMs - atMs > GONE_AFTER_MS) this.#seen.delete(heraldId);
    }
  }

  /** s, 1..2*replicas. */
  get factor(): number {
    let replicas = 0;
    for (const { onlyBy } of this.#seen.values()) if (onlyBy === undefined) replicas++;
    // A handful of tickets says nothing about shares.
    if (this.#all < 10) return Math.max(1, replicas);
    const most = 2 * Math.max(1, replicas);
    return Math.min(most, Math.max(1, this.#all / Math.max(this.#own, 1e-9)));
  }
}
