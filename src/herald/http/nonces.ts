// (1) What reports, announcements and goodbyes are signed with: random words of this Herald, told with every answer. Each
// is good for a short while, and for nobody who has said goodbye since, so that what somebody recorded is not taken again.

import { randomBytes } from 'node:crypto';
import type { Clock } from '../../daemon/clock.ts';

export interface Nonces {
  /** The one to tell. */
  current(): string;
  isGood(nonce: string, id: string): boolean;
  /** Whatever `id` has signed so far is not taken again. */
  spend(id: string): void;
}

/** A new one this many times while one is good: who takes it from each answer is always in time. */
const RENEWALS = 6;
/** Each goodbye brings a new one as well. Above this many the oldest end early: those who hold them sign once more. */
const MAX_GOOD = 10_000;

export function createNonces(goodForMs: number, clock: Clock): Nonces {
  /** In the order of their issue, which their numbers count. */
  const issued = new Map<string, { number: number; atMs: number }>();
  /** The last one that was out when this id said goodbye, in the order of goodbyes. */
  const spent = new Map<string, number>();
  let newest = { nonce: '', number: 0, atMs: -Infinity };

  const isOver = (atMs: number): boolean => clock.nowMs() - atMs >= goodForMs;
  const issue = (): void => {
    newest = { nonce: randomBytes(16).toString('hex'), number: newest.number + 1, atMs: clock.nowMs() };
    for (const [nonce, { atMs }] of issued) {
      if (issued.size < MAX_GOOD && !isOver(atMs)) break;
      issued.delete(nonce);
    }
    const [oldest = newest] = issued.values();
    for (const [id, number] of spent) {
      if (number >= oldest.number) break;
      spent.delete(id);
    }
    issued.set(newest.nonce, newest);
  };

  return {
    current() {
      if (clock.nowMs() - newest.atMs >= goodForMs / RENEWALS) issue();
      return newest.nonce;
    },
    isGood(nonce, id) {
      const found = issued.get(nonce);
      return found !== undefined && !isOver(found.atMs) && found.number > (spent.get(id) ?? 0);
    },
    spend(id) {
      spent.delete(id);
      spent.set(id, newest.number);
      issue();
    },
  };
}
