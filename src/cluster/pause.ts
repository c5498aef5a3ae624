// When to try again what failed at a store that is up: spread, because many processes fail at the same moment, and
// soon, because others wait for the result; later where an operator has to act first.

import type { Log } from '../daemon/log.ts';
import type { Outcome, Trouble } from './coordination.ts';

export type Failure = Extract<Outcome<unknown>, { ok: false }>;

/** These do not pass by themselves. */
const REFUSALS: ReadonlySet<Trouble> = new Set(['no-auth', 'not-empty', 'bad-data', 'bad-path', 'server']);

export const isRefusal = (why: Trouble): boolean => REFUSALS.has(why);

export interface Pauses {
  /** Until the next try, in ms. That the store refuses `path` is logged, once until it does not. */
  after(failure: Failure): number;
  succeeded(): void;
}

export function pausesOf(path: string, log: Log): Pauses {
  let refusal: Trouble | undefined;
  return {
    after({ why, detail }) {
      if (!isRefusal(why)) return soonMs();
      if (why !== refusal) log.warn('entry-refused', { path, why, detail });
      refusal = why;
      return 5_000 + 5_000 * Math.random();
    },
    succeeded: () => void (refusal = undefined),
  };
}

export function soonMs(): number {
  return 200 + 300 * Math.random();
}
