// `p2c`: two choices by the score as last reported (Mitzenmacher, "The Power of Two Choices in Randomized
// Load Balancing", 2001). Needs nothing but the report; the strong and simple fallback.

import { REPORTED, STRIDE } from '../gateway-slots.ts';
import type { Offers } from '../offers.ts';
import type { Policy, Question } from './policy.ts';

export const p2cPolicy: Policy = {
  comparesExpectedLoad: false,
  offer(question: Question, offers: Offers): void {
    const { slots, view, filter, random } = question;
    for (let i = 0; i < 2; i++) {
      const slot = view.slots[view.draw(random())]!;
      if (filter.allows(slot)) offers.add(slot, slots.hot[slot * STRIDE + REPORTED]!);
    }
  },
};
