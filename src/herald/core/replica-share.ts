// What part of all tickets that gateways accept comes from this Herald. The others' tickets in flight are
// not known here; `s` = 1 / share stands for them, without gossip and without a leader.

const WINDOW_MS = 30_000;
/** A Herald whose tickets no gateway has accepted for this long is not counted any more. */
const GONE_AFTER_MS = 60_000;

export class ReplicaShare {
  #own = 0;
  #all = 0;
  #fadedAtMs: number | undefined;
  readonly #seenAtMs = new Map<string, number>();

  /** `accepted` more tickets of `heraldId` were admitted somewhere. */
  count(heraldId: string, own: boolean, accepted: number, nowMs: number): void {
    if (!(accepted > 0)) return;
    this.#seenAtMs.set(heraldId, nowMs);
    if (own) this.#own += accepted;
    this.#all += accepted;
  }

  roll(nowMs: number): void {
    const sinceMs = Math.max(0, nowMs - (this.#fadedAtMs ?? nowMs));
    this.#fadedAtMs = nowMs;
    const factor = Math.exp(-sinceMs / WINDOW_MS);
    this.#own *= factor;
    this.#all *= factor;
    for (const [heraldId, seenAtMs] of this.#seenAtMs) {
      if (nowMs - seenAtMs > GONE_AFTER_MS) this.#seenAtMs.delete(heraldId);
    }
  }

  /** s, 1..2*replicas. */
  get factor(): number {
    // A handful of tickets says nothing about shares.
    if (this.#all < 10) return Math.max(1, this.#seenAtMs.size);
    const most = 2 * Math.max(1, this.#seenAtMs.size);
    return Math.min(most, Math.max(1, this.#all / Math.max(this.#own, 1e-9)));
  }
}
