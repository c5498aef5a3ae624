// (5) One look at every gateway of a view, for when the drawn ones will not do (all refused, all too loaded)
// or when the order of arrival matters little (a client told to move). It costs O(n), so its shortlist
// serves all lookups of the next 100 ms; their loads are computed afresh each time.

import { expectedLoad } from './expected-load.ts';
import { STRIDE } from './gateway-slots.ts';
import type { Offers } from './offers.ts';
import type { Question } from './policies/policy.ts';

const SHORTLIST_MS = 100;

/** Offers the least loaded gateways of the view that the filter allows: present loads, less what a wish forgives. */
export function fullLook(question: Question, offers: Offers): void {
  const { view, nowMs } = question;
  const before = offers.size;
  const fresh = nowMs - view.lookedAtMs >= SHORTLIST_MS || nowMs < view.lookedAtMs;
  if (!fresh) offerShortlist(question, offers);
  if (offers.size > before) return;
  // Looked at already, and the whole view is on the list: looking again would find the same nothing.
  if (!fresh && view.shortlistSize === view.size) return;
  scan(question);
  offerShortlist(question, offers);
}

function offerShortlist(question: Question, offers: Offers): void {
  const { view, slots, filter, factors, admit, nowMs, weights } = question;
  for (let i = 0; i < view.shortlistSize; i++) {
    const index = view.shortlist[i]!;
    const slot = view.slots[index]!;
    if (!filter.allows(slot)) continue;
    const load = expectedLoad(slots.hot, slot * STRIDE, factors, nowMs);
    const granted = weights !== undefined && load <= admit;
    offers.add(slot, granted ? load - view.forgiven(index, weights) : load);
  }
}

/** Fills the shortlist, least loaded first; starts at a random place so that ties do not favour low slots. */
function scan({ view, slots, filter, factors, random, nowMs }: Question): void {
  const list = view.shortlist;
  const loads = new Float64Array(list.length);
  const start = Math.floor(random() * view.size);
  let size = 0;
  for (let i = 0; i < view.size; i++) {
    const index = (start + i) % view.size;
    const slot = view.slots[index]!;
    if (!filter.allowsAnyone(slot)) continue;
    const load = expectedLoad(slots.hot, slot * STRIDE, factors, nowMs);
    if (size === list.length && load >= loads[size - 1]!) continue;
    let place = size < list.length ? size++ : size - 1;
    while (place > 0 && loads[place - 1]! > load) {
      loads[place] = loads[place - 1]!;
      list[place] = list[place - 1]!;
      place--;
    }
    loads[place] = load;
    list[place] = index;
  }
  view.shortlistSize = size;
  view.lookedAtMs = nowMs;
}
