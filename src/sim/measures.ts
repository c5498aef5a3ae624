// What a run is judged by: once a simulated second, every gateway's true utilisation.

import type { GatewayModel } from './gateway-model.ts';

/** How even the load was, and how high. */
export interface LoadSummary {
  /** Highest over mean utilisation: its median and 99th percentile over time, and the worst second. */
  p50MaxMean: number;
  p99MaxMean: number;
  worstMaxMean: number;
  /** Highest utilisation of any gateway in any second. */
  hottest: number;
  /** Share of the time in which some gateway is above 0.90 while the mean is below 0.70. */
  hotShare: number;
  /** Gateway-seconds above a utilisation of 1. */
  overloadSec: number;
  /** Until an added gateway is within 5 points of the mean; null without one, Infinity when it never is. */
  settleSec: number | null;
}

/** Load of each gateway over time: `loads[second * width + gateway]`, NaN while it was down. */
export interface LoadSeries {
  width: number;
  ids: string[];
  /** Seconds relative to the start of measuring. */
  firstSec: number;
  loads: Float32Array;
}

const HOT_LOAD = 0.9;
const CALM_MEAN = 0.7;
/** Judged by the second, finer than what gateways report. */
const SAMPLES_PER_SEC = 10;
const SETTLED_WITHIN = 0.05;

export class Measures {
  readonly #width: number;
  readonly #seconds: number;
  readonly #loads: Float32Array;
  readonly #firstSec: number;
  readonly #ids: string[];
  readonly #maxMean: number[] = [];
  #second = 0;
  #hotSeconds = 0;
  #calmSeconds = 0;
  #hottest = 0;
  #overloadSeconds = 0;
  #watched: { gateway: number; sinceSec: number; settledSec: number | undefined } | undefined;

  constructor(ids: string[], firstSec: number, seconds: number) {
    this.#ids = ids;
    this.#width = ids.length;
    this.#seconds = seconds;
    this.#firstSec = firstSec;
    this.#loads = new Float32Array(this.#width * seconds).fill(NaN);
  }

  /** How long `gateway` takes from now on until its load has come near the mean. */
  watch(gateway: number, sinceSec: number): void {
    this.#watched = { gateway, sinceSec, settledSec: undefined };
  }

  take(fleet: readonly GatewayModel[], sec: number): void {
    if (this.#second >= this.#seconds) return;
    const row = this.#second++ * this.#width;
    let sum = 0;
    let capacity = 0;
    let most = 0;
    let overloaded = 0;
    for (const gateway of fleet) {
      if (!gateway.up) continue;
      const load = gateway.utilisation(SAMPLES_PER_SEC);
      this.#loads[row + gateway.index] = load;
      sum += load * gateway.capacity;
      capacity += gateway.capacity;
      most = Math.max(most, load);
      if (load > 1) overloaded++;
    }
    if (sec < 0 || capacity === 0) return;
    const mean = sum / capacity;
    this.#maxMean.push(mean > 0 ? most / mean : 1);
    this.#hottest = Math.max(this.#hottest, most);
    this.#overloadSeconds += overloaded;
    if (mean < CALM_MEAN) {
      this.#calmSeconds++;
      if (most > HOT_LOAD) this.#hotSeconds++;
    }
    const watched = this.#watched;
    if (watched && watched.settledSec === undefined && sec > watched.sinceSec) {
      if (fleet[watched.gateway]!.utilisation() >= mean - SETTLED_WITHIN)
        watched.settledSec = sec - watched.sinceSec;
    }
  }

  summary(): LoadSummary {
    const sorted = Float64Array.from(this.#maxMean).sort();
    const at = (share: number): number =>
      sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
    return {
      p50MaxMean: at(0.5),
      p99MaxMean: at(0.99),
      worstMaxMean: at(1),
      hottest: this.#hottest,
      hotShare: this.#calmSeconds > 0 ? this.#hotSeconds / this.#calmSeconds : 0,
      overloadSec: this.#overloadSeconds,
      settleSec: this.#watched ? (this.#watched.settledSec ?? Infinity) : null,
    };
  }

  series(): LoadSeries {
    return {
      width: this.#width,
      ids: this.#ids,
      firstSec: this.#firstSec,
      loads: this.#loads.subarray(0, this.#second * this.#width),
    };
  }
}
