// `round-robin`: each gateway in turn, whatever its load or capacity. Counts connections evenly, which is
// fair only while they all cost the same and gateways never restart.

import type { Offers } from '../offers.ts';
import type { Policy, Question } from './policy.ts';

export const roundRobinPolicy: Policy = {
  comparesExpectedLoad: false,
  offer(question: Question, offers: Offers): void {
    const { view, filter, alternates } = question;
    let next = -1;
    for (let i = 0; i < view.size && offers.size <= alternates; i++) {
      const place = (view.turn + i) % view.size;
      const slot = view.slots[place]!;
      if (!filter.allows(slot)) continue;
      if (next === -1) next = place + 1;
      offers.add(slot, offers.size);
    }
    if (next !== -1) view.turn = next;
  },
};
