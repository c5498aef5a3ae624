// Which affinity keys are so common that one gateway must not own them: over 10 % of the lookups and more
// than 5 a second. Counted with 64 counters whatever the number of keys (Misra and Gries, "Finding Repeated
// Elements", 1982); a count is at most 1/65 of the lookups too low.

const COUNTERS = 64;
const SHARE = 0.1;
const PER_SEC = 5;
const FADE_EACH_MS = 1_000;
const FADE = 0.75;
/** A count that fades by FADE a second settles at rate / (1 - FADE). */
const SETTLED_SEC = 1 / (1 - FADE);

export class HotKeys {
  readonly #counts = new Map<string, number>();
  #lookups = 0;
  #fadedAtMs: number | undefined;

  /** Counts one lookup (`key` empty: without a key) and says whether its key is hot. */
  count(key: string, nowMs: number): boolean {
    this.#fade(nowMs);
    this.#lookups++;
    if (key === '') return false;
    const count = this.#counts.get(key);
    if (count !== undefined) this.#counts.set(key, count + 1);
    else if (this.#counts.size < COUNTERS) this.#counts.set(key, 1);
    else this.#lower(1);
    const now = this.#counts.get(key) ?? 0;
    return now > SHARE * this.#lookups && now > PER_SEC * SETTLED_SEC;
  }

  #lower(by: number): void {
    for (const [key, count] of this.#counts) {
      if (count <= by) this.#counts.delete(key);
      else this.#counts.set(key, count - by);
    }
  }

  #fade(nowMs: number): void {
    if (this.#fadedAtMs === undefined || nowMs < this.#fadedAtMs) this.#fadedAtMs = nowMs;
    const steps = Math.floor((nowMs - this.#fadedAtMs) / FADE_EACH_MS);
    if (steps === 0) return;
    this.#fadedAtMs += steps * FADE_EACH_MS;
    const factor = FADE ** steps;
    this.#lookups *= factor;
    for (const [key, count] of this.#counts) {
      if (count * factor < 0.01) this.#counts.delete(key);
      else this.#counts.set(key, count * factor);
    }
  }
}
