// `least`: the least score as last reported, over all gateways. Kept for comparison: everyone who looks
// between two reports gets the same answer, which is the herd that docs/policy.md shows. O(n) a lookup.

import { REPORTED, STRIDE } from '../gateway-slots.ts';
import type { Offers } from '../offers.ts';
import type { Policy, Question } from './policy.ts';

export const leastPolicy: Policy = {
  comparesExpectedLoad: false,
  offer(question: Question, offers: Offers): void {
    const { slots, view, filter, random } = question;
    let best = -1;
    let bestLoad = Infinity;
    let ties = 0;
    for (const slot of view.slots) {
      if (!filter.allows(slot)) continue;
      const load = slots.hot[slot * STRIDE + REPORTED]!;
      // Reservoir of one among equals: every tied gateway is as likely.
      if (load < bestLoad || (load === bestLoad && random() * ++ties < 1)) {
        if (load < bestLoad) ties = 1;
        best = slot;
        bestLoad = load;
      }
    }
    if (best >= 0) offers.add(best, bestLoad);
  },
};
