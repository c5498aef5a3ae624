// Weighted draws in constant time (Walker's alias method in Vose's form, IEEE Trans. Software Eng. 17(9),
// 1991): one random number gives both the column and the coin.

export class AliasTable {
  readonly size: number;
  readonly #keep: Float64Array;
  readonly #alias: Int32Array;

  /** `weights` are relative and not negative; when all are 0 every index is as likely. */
  constructor(weights: Float64Array) {
    const size = weights.length;
    this.size = size;
    this.#keep = new Float64Array(size).fill(1);
    this.#alias = Int32Array.from({ length: size }, (_, index) => index);
    let sum = 0;
    for (const weight of weights) sum += weight;
    if (!(sum > 0)) return;

    const scaled = weights.map((weight) => (weight * size) / sum);
    const small: number[] = [];
    const large: number[] = [];
    scaled.forEach((weight, index) => (weight < 1 ? small : large).push(index));
    while (small.length > 0 && large.length > 0) {
      const under = small.pop()!;
      const over = large.pop()!;
      this.#keep[under] = scaled[under]!;
      this.#alias[under] = over;
      scaled[over] = scaled[over]! + scaled[under]! - 1;
      (scaled[over] < 1 ? small : large).push(over);
    }
    // What is left on either side is 1 but for rounding; `keep` is 1 already.
  }

  /** An index in [0, size) for `random` in [0, 1). */
  draw(random: number): number {
    const place = random * this.size;
    const column = place | 0;
    return place - column < this.#keep[column]! ? column : this.#alias[column]!;
  }
}
