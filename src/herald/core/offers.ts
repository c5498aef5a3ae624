// What a policy writes while it looks: the gateways it drew and the load by which it compares them. One
// instance per Herald, reused by every lookup, so that deciding allocates nothing.

/** Most gateways a lookup compares: 64 draws, the most that may be configured, and as many that meet a wish. */
const MAX_OFFERS = 128;

export class Offers {
  readonly slots = new Int32Array(MAX_OFFERS);
  /** Compared load, lower is better; where nothing is compared they are numbered. */
  readonly loads = new Float64Array(MAX_OFFERS);
  size = 0;

  clear(): void {
    this.size = 0;
  }

  add(slot: number, load: number): void {
    if (this.size === MAX_OFFERS) return;
    this.slots[this.size] = slot;
    this.loads[this.size] = load;
    this.size++;
  }

  /** Index of the least load, -1 when there is none. The first of equals: draws come in random order. */
  least(): number {
    let best = this.size > 0 ? 0 : -1;
    for (let i = 1; i < this.size; i++) if (this.loads[i]! < this.loads[best]!) best = i;
    return best;
  }

  /** The slots of the best distinct gateways behind the winner, at most `wanted`, the best first. */
  runnersUp(winner: number, wanted: number): number[] {
    const named: number[] = [];
    while (named.length < wanted) {
      let best = -1;
      for (let i = 0; i < this.size; i++) {
        const behind = best >= 0 && this.loads[i]! >= this.loads[best]!;
        const slot = this.slots[i]!;
        if (!behind && slot !== this.slots[winner] && !named.includes(slot)) best = i;
      }
      if (best < 0) break;
      named.push(this.slots[best]!);
    }
    return named;
  }
}
