// `expected`, the default: the least expected load of d drawn gateways. Looking at a few keeps one gateway
// from being everybody's choice; looking at what is already on its way keeps old reports from herding.

import { assignedPerCapacity, expectedLoad } from '../expected-load.ts';
import { STRIDE } from '../gateway-slots.ts';
import type { Offers } from '../offers.ts';
import type { Policy, Question } from './policy.ts';

export const expectedPolicy: Policy = {
  comparesExpectedLoad: true,
  offer(question: Question, offers: Offers): void {
    const { slots, view, filter, factors, random, nowMs, draws, admit, mostAssigned, weights } = question;
    const hot = slots.hot;
    for (let i = 0; i < draws; i++) {
      const index = view.draw(random());
      const slot = view.slots[index]!;
      if (!filter.allows(slot)) continue;
      const at = slot * STRIDE;
      if (mostAssigned !== Infinity && assignedPerCapacity(hot, at, nowMs) > mostAssigned) continue;
      const load = expectedLoad(hot, at, factors, nowMs);
      const granted = weights !== undefined && load <= admit;
      offers.add(slot, granted ? load - view.forgiven(index, weights) : load);
    }
  },
};
