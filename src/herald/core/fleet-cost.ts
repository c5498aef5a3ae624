// K: what one connection costs on a capacity of 1, for the fleet as a whole. The count-weighted median of
// each gateway's own figure, so that a few liars cannot move it; the anchor of learned costs and of the
// floor against liars.

/** Before anything is known: five thousand connections fill a core. */
const FIRST_COST = 1 / 5_000;
/** The first guess stands in for this many connections. */
const PRIOR_CONNECTIONS = 50;
const EWMA = 0.1;
/** No gateway counts for more than this many times the median one, however many connections it claims. */
const MOST_WEIGHT = 4;

const BINS_PER_OCTAVE = 16;
const LOWEST_OCTAVE = -60;
const OCTAVES = 100;

export class FleetCost {
  #cost = FIRST_COST;
  #rounds = 0;
  readonly #bins = new Float64Array(OCTAVES * BINS_PER_OCTAVE);

  /** Score of one connection on a capacity of 1. */
  get cost(): number {
    return this.#cost;
  }

  /** False until a round had something to go by: by a mere guess nobody can be called a liar. */
  get known(): boolean {
    return this.#rounds > 0;
  }

  /**
   * One round, every 2 s: `costs[i]` is x*C/r of a gateway with `connections[i]` visible connections. `anew`
   * = forget the earlier rounds, which knew only the first gateways of a fleet.
   */
  round(costs: readonly number[], connections: readonly number[], anew = false): void {
    if (costs.length === 0) return;
    const typical = this.#median(
      connections,
      connections.map(() => 1),
    );
    const weights = connections.map((count) => Math.min(count, MOST_WEIGHT * typical));
    const median = this.#median(costs, weights);
    if (!(median > 0)) return;
    const known = weights.reduce((sum, weight) => sum + weight, 0);
    const target = (median * known + FIRST_COST * PRIOR_CONNECTIONS) / (known + PRIOR_CONNECTIONS);
    // The first rounds average what they have; later ones follow slowly.
    this.#rounds = anew ? 1 : this.#rounds + 1;
    this.#cost += Math.max(EWMA, 1 / this.#rounds) * (target - this.#cost);
  }

  /** Weighted median by a histogram on a logarithmic scale: O(n), within 2 % after interpolation. */
  #median(values: readonly number[], weights: readonly number[]): number {
    const bins = this.#bins.fill(0);
    let total = 0;
    values.forEach((value, i) => {
      const weight = weights[i]!;
      if (!(value > 0) || !(weight > 0)) return;
      const place = (Math.log2(value) - LOWEST_OCTAVE) * BINS_PER_OCTAVE;
      bins[Math.min(bins.length - 1, Math.max(0, Math.floor(place)))]! += weight;
      total += weight;
    });
    let below = 0;
    for (let bin = 0; bin < bins.length; bin++) {
      const weight = bins[bin]!;
      if (weight === 0 || below + weight < total / 2) {
        below += weight;
        continue;
      }
      const inside = (total / 2 - below) / weight;
      return 2 ** ((bin + inside) / BINS_PER_OCTAVE + LOWEST_OCTAVE);
    }
    return 0;
  }
}
