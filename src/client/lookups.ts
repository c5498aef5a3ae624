// (5) -> (6) Asks Herald, one lookup at a time, each with a deadline.

import type { FetchLike, Timers } from './connect-options.ts';
import type { LookupAnswer } from './core/lookup-answer.ts';
import { judgeLookup } from './core/lookup-answer.ts';
import { messageOf } from './message-of.ts';
import { readAnswer } from './read-answer.ts';

const DEADLINE_MS = 5_000;

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
        const { signal } = abort;
        const response = await fetchLike(url, { cache: 'no-store', credentials: 'omit', signal });
        const body = await readAnswer(response);
        answer = judgeLookup(response.status, response.headers.get('retry-after'), body);
      } catch (error) {
        answer = { is: 'silent', why: messageOf(error) };
      }
      timers.clearTimeout(timer);
      answered(ask, answer);
    },
    abandon: () => asking?.abort(),
  };
}
