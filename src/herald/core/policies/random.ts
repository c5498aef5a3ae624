// `random`: any gateway, by capacity, whatever its load.

import type { Offers } from '../offers.ts';
import type { Policy, Question } from './policy.ts';

export const randomPolicy: Policy = {
  comparesExpectedLoad: false,
  offer(question: Question, offers: Offers): void {
    const { view, filter, random, draws, alternates } = question;
    for (let i = 0; i < Math.max(draws, 2 * alternates) && offers.size <= alternates; i++) {
      const slot = view.slots[view.draw(random())]!;
      if (filter.allows(slot)) offers.add(slot, offers.size);
    }
  },
};
