// (5) One look at every gateway of a view, for when the drawn ones will not do (all refused, all too loaded)
// or when the order of arrival matters little (a client told to move). It costs O(n), so its shortlist
// serves all lookups of the next 100 ms; their loads are computed afresh each time.

import type { Shortlist } from './candidate-view.ts';
import { expectedLoad, unbarredLoad } from './expected-load.ts';
import { STRIDE } from './gateway-slots.ts';
import type { Offers } from './offers.ts';
import type { Question } from './policies/policy.ts';

const SHORTLIST_MS = 100;

/** Offers the least loaded gateways of the view that the filter allows: present loads, less what a wish forgives. */
export function fullLook(question: Question, offers: Offers): void {
  const { view, filter, nowMs } = question;
  const list = question.obeysBreakers ? view.shortlist : view.unbarredShortlist;
  const before = offers.size;
  const fresh =
    nowMs - list.lookedAtMs >= SHORTLIST_MS || nowMs < list.lookedAtMs || list.frozen !== filter.frozen;
  if (!fresh) offerShortlist(question, list, offers);
  if (offers.size > before) return;
  // Looked at already, and all who may be named are on the list: looking again would find the same nothing.
  if (!fresh && list.size < list.indices.length) return;
  scan(question, list);
  offerShortlist(question, list, offers);
}

function offerShortlist(question: Question, list: Shortlist, offers: Offers): void {
  const { view, filter, admit, weights } = question;
  for (let i = 0; i < list.size; i++) {
    const index = list.indices[i]!;
    const slot = view.slots[index]!;
    if (!filter.allows(slot)) continue;
    const load = loadOf(slot, question);
    const granted = weights !== undefined && load <= admit;
    offers.add(slot, granted ? load - view.forgiven(index, weights) : load);
  }
}

/** Fills the shortlist, least loaded first; starts at a random place so that ties do not favour low slots. */
function scan(question: Question, list: Shortlist): void {
  const { view, filter, random, nowMs } = question;
  const { indices } = list;
  const loads = new Float64Array(indices.length);
  const start = Math.floor(random() * view.size);
  let size = 0;
  for (let i = 0; i < view.size; i++) {
    const index = (start + i) % view.size;
    const slot = view.slots[index]!;
    if (!filter.allowsAnyone(slot)) continue;
    const load = loadOf(slot, question);
    if (size === indices.length && load >= loads[size - 1]!) continue;
    let place = size < indices.length ? size++ : size - 1;
    while (place > 0 && loads[place - 1]! > load) {
      loads[place] = loads[place - 1]!;
      indices[place] = indices[place - 1]!;
      place--;
    }
    loads[place] = load;
    indices[place] = index;
  }
  list.size = size;
  list.lookedAtMs = nowMs;
  list.frozen = filter.frozen;
}

function loadOf(slot: number, { slots, factors, nowMs, obeysBreakers }: Question): number {
  const load = obeysBreakers ? expectedLoad : unbarredLoad;
  return load(slots.hot, slot * STRIDE, factors, nowMs);
}
