// (5) -> (6) Asks Herald, one lookup at a time, each with a deadline.

import { readRetryAfterMs } from '../protocol/retry.ts';
import type { FetchLike, Timers } from './connect-options.ts';
import type { LookupAnswer } from './core/lookup-answer.ts';
import { judgeLookup } from './core/lookup-answer.ts';
import { messageOf } from './message-of.ts';
import { readAnswer } from './read-answer.ts';

const DEADLINE_MS = 5_000;
/** Of one lookup. `fetch` alone would follow 20, and a proxy that sends to itself would be asked 21 times a try. */
const MAX_REDIRECTS = 3;

export interface Lookups {
  /** Answers lookup number `ask`; may do so twice, where an answer comes after the deadline. Never rejects. */
  ask(ask: number, url: string): Promise<void>;
  /** Lets the last one go, or a Herald that does not answer would keep the process for the rest of its time. */
  abandon(): void;
}

export function createLookups(
  fetchLike: FetchLike,
  timers: Timers,
  answered: (ask: number, answer: LookupAnswer) => void,
): Lookups {
  let asking: AbortController | undefined;
  /** By hand, one after the other, until it is known that the runtime does not say where they lead, as browsers do. */
  let redirect: 'manual' | 'follow' = 'manual';

  const get = async (url: string, signal: AbortSignal): Promise<LookupAnswer> => {
    let at = url;
    for (let redirects = 0; redirects <= MAX_REDIRECTS;) {
      const response = await fetchLike(at, { cache: 'no-store', credentials: 'omit', redirect, signal });
      const { status, headers } = response;
      if (status === 0 && redirect === 'manual') {
        redirect = 'follow';
        continue;
      }
      const body = await readAnswer(response);
      const location = status >= 300 && status < 400 ? headers.get('location') : null;
      if (location === null) {
        const said = { 'retry-after': headers.get('retry-after'), date: headers.get('date') };
        return judgeLookup(status, readRetryAfterMs(said, Date.now()), body);
      }
      at = new URL(location, at).href;
      redirects += 1;
    }
    return { is: 'silent', why: `more than ${MAX_REDIRECTS} redirects, the last to ${at}` };
  };

  return {
    async ask(ask, url) {
      const abort = new AbortController();
      asking = abort;
      const timer = timers.setTimeout(() => {
        // Told from here: a `fetch` of the program may not know of signals. What comes later is not waited for any more.
        answered(ask, { is: 'silent', why: 'no answer in time' });
        abort.abort();
      }, DEADLINE_MS);
      let answer: LookupAnswer;
      try {
        answer = await get(url, abort.signal);
      } catch (error) {
        const followed = redirect === 'follow' ? 'redirected, then ' : '';
        answer = { is: 'silent', why: `${followed}${messageOf(error)}` };
      }
      timers.clearTimeout(timer);
      answered(ask, answer);
    },
    abandon: () => asking?.abort(),
  };
}
