// (5) One look at every gateway of a view, for when the drawn ones will not do (all refused, all too loaded)
// or when the order of arrival matters little (a client told to move). It costs O(n), so its shortlist
// serves all lookups of the next 100 ms; their loads are computed afresh each time.

import type { CandidateView } from './candidate-view.ts';
import type { FleetFactors } from './expected-load.ts';
import { expectedLoad } from './expected-load.ts';
import type { GatewaySlots } from './gateway-slots.ts';
import { STRIDE } from './gateway-slots.ts';
import type { LookupFilter } from './lookup-filter.ts';
import type { Offers } from './offers.ts';

const SHORTLIST_MS = 100;

/** Offers the least loaded gateways of the view that the filter allows, with their present loads. */
export function fullLook(
  view: CandidateView,
  slots: GatewaySlots,
  filter: LookupFilter,
  factors: FleetFactors,
  offers: Offers,
  random: () => number,
  nowMs: number,
): void {
  offers.clear();
  const fresh = nowMs - view.lookedAtMs >= SHORTLIST_MS || nowMs < view.lookedAtMs;
  if (!fresh) offerShortlist(view, slots, filter, factors, offers, nowMs);
  if (offers.size > 0) return;
  // Looked at already, and the whole view is on the list: looking again would find the same nothing.
  if (!fresh && view.shortlistSize === view.size) return;
  scan(view, slots, filter, factors, random, nowMs);
  offerShortlist(view, slots, filter, factors, offers, nowMs);
}

function offerShortlist(
  view: CandidateView,
  slots: GatewaySlots,
  filter: LookupFilter,
  factors: FleetFactors,
  offers: Offers,
  nowMs: number,
): void {
  for (let i = 0; i < view.shortlistSize; i++) {
    const slot = view.shortlist[i]!;
    if (filter.allows(slot)) offers.add(slot, expectedLoad(slots.hot, slot * STRIDE, factors, nowMs));
  }
}

/** Fills the shortlist, least loaded first; starts at a random place so that ties do not favour low slots. */
function scan(
  view: CandidateView,
  slots: GatewaySlots,
  filter: LookupFilter,
  factors: FleetFactors,
  random: () => number,
  nowMs: number,
): void {
  const list = view.shortlist;
  const loads = new Float64Array(list.length);
  const start = Math.floor(random() * view.size);
  let size = 0;
  for (let i = 0; i < view.size; i++) {
    const slot = view.slots[(start + i) % view.size]!;
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
    list[place] = slot;
  }
  view.shortlistSize = size;
  view.lookedAtMs = nowMs;
}
