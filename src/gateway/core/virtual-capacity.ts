// A test aid, never for production: makes a gateway report a load of its own arithmetic instead of measured
// CPU, so that six gateways of different "size" fit on one small machine. Each delivery and each accept costs
// tokens; the load is tokens used over the tokens that the capacity allows.

import { WindowedRate } from './windowed-rate.ts';

export interface VirtualCosts {
  /** Relative size; `tokensPerSec` times this is load 1. */
  capacity: number;
  tokensPerSec: number;
  messageTokens: number;
  acceptTokens: number;
}

export class VirtualLoad {
  readonly #costs: VirtualCosts;
  readonly #rate = new WindowedRate();
  /** A noisy neighbour: this much load besides one's own. */
  extraLoad = 0;

  constructor(costs: VirtualCosts) {
    this.#costs = costs;
  }

  /** Load over the last window, from the counters since the start. */
  load(deliveredTotal: number, acceptedTotal: number, nowMs: number): number {
    const { capacity, tokensPerSec, messageTokens, acceptTokens } = this.#costs;
    const tokens = deliveredTotal * messageTokens + acceptedTotal * acceptTokens;
    return this.#rate.perSec(tokens, nowMs) / (tokensPerSec * capacity) + this.extraLoad;
  }
}
