// (5) How often all of many gateways are looked at for what lookups ask: at most once in 50 ms, however fast the fleet
// changes and whatever is asked for.

/** A look at fewer is always taken. */
const MANY = 512;
const EACH_MS = 50;

export function areMany(gateways: number): boolean {
  return gateways >= MANY;
}

/** Of one kind of look. */
export class LongLooks {
  #tookAtMs = -Infinity;

  /** Whether `gateways` may be looked at now. */
  may(gateways: number, nowMs: number): boolean {
    if (!areMany(gateways)) return true;
    if (nowMs >= this.#tookAtMs && nowMs - this.#tookAtMs < EACH_MS) return false;
    this.#tookAtMs = nowMs;
    return true;
  }
}
