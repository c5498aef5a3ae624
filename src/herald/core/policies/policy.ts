// The interface of a selection policy: given a view and the question's filter, offer gateways with the load
// by which they are compared. The least one wins, the others are alternates.

import type { CandidateView } from '../candidate-view.ts';
import type { FleetFactors } from '../expected-load.ts';
import type { GatewaySlots } from '../gateway-slots.ts';
import type { LookupFilter } from '../lookup-filter.ts';
import type { Offers } from '../offers.ts';

/** One lookup as a policy sees it. */
export interface Question {
  slots: GatewaySlots;
  view: CandidateView;
  /** Of the wishes that the view is of, in their order; undefined = it is of none. */
  weights: readonly number[] | undefined;
  filter: LookupFilter;
  factors: FleetFactors;
  random: () => number;
  nowMs: number;
  /** How many gateways to look at. */
  draws: number;
  /** Expected load above which a new connection is not let in; wishes are not granted beyond it. */
  admit: number;
  /** False where breakers say nothing of the gateways. Only a full look asks. */
  obeysBreakers: boolean;
  /** Assignments of the last second per capacity from which a gateway sits one out; Infinity = no share cap. */
  mostAssigned: number;
  /** How many alternates are wanted besides the winner. */
  alternates: number;
}

export interface Policy {
  /** True when its loads are expected loads, so that admission and breakers apply to them. */
  readonly comparesExpectedLoad: boolean;
  /** Adds to `offers` gateways that the filter allows; none when the draws met nobody. */
  offer(question: Question, offers: Offers): void;
}
