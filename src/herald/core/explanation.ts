// The answer to "why this gateway?", as the API and `herald explain` show it. Loads are ratios, 1 = full.

export interface ExplainedCandidate {
  gateway: string;
  /** Age of its newest report, ms. */
  ageMs: number;
  reported: number;
  /** Observed load after the floor. */
  observed: number;
  costPerConnection: number;
  young: number;
  pending: number;
  /** The terms of the expected load. */
  terms: {
    observed: number;
    young: number;
    pending: number;
    handshake: number;
    stale: number;
    breaker: number;
  };
  /** Their sum. */
  expected: number;
  /**
   * What it was compared by: expected load less forgiven wishes and bars not obeyed, or the figure of a simpler policy;
   * where a key chose, its order.
   */
  compared: number;
  won: boolean;
}

export interface Explanation {
  lookupId: string;
  /** What chose: the draws, a full look, an affinity key, or why nobody was named. */
  way: LookupWay;
  /** When, on the Herald's own clock, and how long ago. */
  atMs: number;
  ageMs?: number;
  draws: number;
  /** s*p and s*h of the pool at that moment. */
  factors: { pending: number; handshake: number };
  candidates: ExplainedCandidate[];
}

/** `refused`: the best candidate would not do. The last four name nobody, for there was none to compare. */
export type LookupWay =
  | 'drawn'
  | 'full-look'
  | 'affinity'
  | 'refused'
  | 'no-gateways'
  | 'none-eligible'
  | 'rate-limited'
  | 'starting';
