// `weighted`: random by capacity times the smoothed agent weight, what HAProxy's `balance random` does with
// the percentages of our agent-check.

import { STRIDE, WEIGHT } from '../gateway-slots.ts';
import type { Offers } from '../offers.ts';
import type { Policy, Question } from './policy.ts';

/** Draws that may be refused for their weight; a fleet all at 1 % is looked at as a whole in the end. */
const TRIES = 32;

export const weightedPolicy: Policy = {
  comparesExpectedLoad: false,
  offer(question: Question, offers: Offers): void {
    const { slots, view, filter, random, alternates } = question;
    for (let i = 0; i < TRIES && offers.size <= alternates; i++) {
      const slot = view.slots[view.draw(random())]!;
      if (!filter.allows(slot)) continue;
      if (random() < slots.hot[slot * STRIDE + WEIGHT]!) offers.add(slot, offers.size);
    }
  },
};
