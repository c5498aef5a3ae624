// Rendezvous (highest random weight) hashing: everyone who knows the same members picks the same owner for
// a key without talking, and a member that leaves moves only its own keys (Thaler and Ravishankar, 1998).

/** 32-bit mix of two strings, well spread for short, similar inputs. */
export function pairHash(key: string, member: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ 0xff, 0x01000193);
  for (let i = 0; i < member.length; i++) hash = Math.imul(hash ^ member.charCodeAt(i), 0x01000193);
  // murmur3's finaliser: FNV alone leaves the low bits of similar names correlated.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** The member that owns `key`, or undefined when there is none. Ties (1 in 2^32) go to the smaller name. */
export function rendezvousOwner(key: string, members: readonly string[]): string | undefined {
  let owner: string | undefined;
  let best = -1;
  for (const member of members) {
    const hash = pairHash(key, member);
    if (hash > best || (hash === best && owner !== undefined && member < owner)) {
      best = hash;
      owner = member;
    }
  }
  return owner;
}
