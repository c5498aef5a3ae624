// Affinity: lookups with the same key go to the same gateway while it has room. Rendezvous hashing picks the
// owner without any state, by capacity (Schindelhauer and Schomaker, "Weighted Distributed Hash Tables", 2005); the bound on
// its load keeps a popular key from burying it (Mirrokni, Thorup and Zadimoghaddam, "Consistent Hashing with Bounded
// Loads", 2018). O(n), about 3 ns a gateway.

import { expectedLoad } from './expected-load.ts';
import { STRIDE } from './gateway-slots.ts';
import type { Offers } from './offers.ts';
import type { Question } from './policies/policy.ts';
import { textHash } from './text-hash.ts';

const HASHES = 2 ** 32;

/** murmur3's finaliser over the two hashes: near names give far values. */
function mixed(keyHash: number, memberHash: number): number {
  let hash = keyHash ^ Math.imul(memberHash, 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/**
 * Offers the key's owner and the `alternates` that would own it next: of the gateways the filter allows and whose load is
 * under `bound`, the nearest, numbered in that order. Distances are exponential with the capacity as their rate, so each
 * is the nearest to its share of the keys.
 */
export function offerOwners(key: string, bound: number, question: Question, offers: Offers): void {
  const { view, slots, filter, factors, nowMs, alternates } = question;
  const keyHash = textHash(key);
  const nearest: number[] = [];
  const distances: number[] = [];
  /** Below this hash even the largest gateway is farther away than all of them. */
  let leastHash = 0;
  for (let index = 0; index < view.size; index++) {
    const slot = view.slots[index]!;
    const hash = mixed(keyHash, slots.hashes[slot]!);
    if (hash < leastHash) continue;
    const distance = -Math.log((hash + 0.5) / HASHES) / view.capacities[index]!;
    let place = nearest.length;
    while (place > 0 && distance < distances[place - 1]!) place--;
    if (place > alternates || !filter.allows(slot)) continue;
    // The load is computed of few: of about (1 + alternates) * ln n.
    if (expectedLoad(slots.hot, slot * STRIDE, factors, nowMs) > bound) continue;
    nearest.splice(place, 0, slot);
    distances.splice(place, 0, distance);
    if (nearest.length <= alternates) continue;
    nearest.length = distances.length = alternates + 1;
    leastHash = HASHES * Math.exp(-distances[alternates]! * view.largest) - 1;
  }
  for (const slot of nearest) offers.add(slot, offers.size);
}
