// (5) -> (6) How a client gets a connection: ask a Herald, try its picks one after the other, name those that
// failed in the next question, and wait with full jitter in between. One acquisition at a time; whether it is
// for a first connect, a resume or a move only changes the intent it names.

import type { LookupIntent, LookupPick, LookupRequest } from '../../protocol/lookup.ts';
import { encodeLookupQuery } from '../../protocol/lookup.ts';
import type { Backoff } from '../../protocol/retry.ts';
import { DEFAULT_BACKOFF, retryDelayMs } from '../../protocol/retry.ts';
import type { Out } from './effects.ts';
import { createFailedPicks } from './failed-picks.ts';
import type { HeraldRota } from './herald-rota.ts';
import type { LookupAnswer } from './lookup-answer.ts';

/** After a wake-up the next try comes at a random time within this: an office gets its network back all at once. */
export const WAKE_SPREAD_MS = 1_000;

export type AcquirePhase =
  | { name: 'idle' }
  | { name: 'waiting'; forMs: number; why: string }
  | { name: 'asking' }
  | { name: 'trying'; pick: LookupPick };

export interface Wanted {
  intent: LookupIntent;
  /** Gateways not to be named, besides those that failed. */
  avoid?: readonly string[];
  /** Tried before any question: the same gateway again. */
  first?: LookupPick;
  /** Gives up at the first refusal instead of waiting: the client has a connection. */
  optional?: boolean;
}

export interface AcquirerParts {
  request: Partial<LookupRequest>;
  rota: HeraldRota;
  random: () => number;
  out: Out;
  open: (pick: LookupPick, nowMs: number) => void;
  /** Only for an optional one. */
  onAbandoned: (why: string) => void;
  /** The request is wrong and will stay so. */
  onHopeless: (status: number, detail: string) => void;
  onChange: () => void;
}

export interface Acquirer {
  phase(): AcquirePhase;
  /** Acquisitions in a row that did not lead to a lasting connection. */
  attempt(): number;
  /** Starts after `afterMs`; replaces one that runs. */
  begin(wanted: Wanted, afterMs: number, why: string, nowMs: number): void;
  lookedUp(ask: number, answer: LookupAnswer, nowMs: number): void;
  pickFailed(pick: LookupPick, why: string, nowMs: number): void;
  timerFired(nowMs: number): void;
  /** A connection stands. */
  succeeded(): void;
  /** A connection was lost; when it had lasted, waits start small again, else they grow. */
  lasted(long: boolean): void;
  /** What was optional is needed now. */
  insist(): void;
  /** What could not be reached may be there again: a wait for it becomes a short one, once. */
  hurry(): void;
  cancel(): void;
  /** A random wait before the next try, growing with the attempts. */
  delayMs(): number;
}

export function createAcquirer(parts: AcquirerParts): Acquirer {
  const { request, rota, random, out } = parts;
  const failed = createFailedPicks();
  let phase: AcquirePhase = { name: 'idle' };
  let wanted: Wanted = { intent: 'connect' };
  let picks: LookupPick[] = [];
  let backoff: Backoff = DEFAULT_BACKOFF;
  let attempt = 0;
  let asked = 0;
  let silences = 0;
  /** It waits by its own will, and not because it was told to. */
  let mayHurry = false;

  const enter = (next: AcquirePhase): void => {
    phase = next;
    parts.onChange();
  };

  const pause = (forMs: number, why: string): void => {
    out({ do: 'timer', name: 'acquire', afterMs: forMs });
    enter({ name: 'waiting', forMs, why });
  };

  const wait = (forMs: number, why: string, isTold = false): void => {
    attempt += 1;
    if (wanted.optional) {
      enter({ name: 'idle' });
      parts.onAbandoned(why);
      return;
    }
    mayHurry = !isTold;
    pause(forMs, why);
  };

  const delayMs = (): number => retryDelayMs(attempt, backoff, random());

  const ask = (nowMs: number): void => {
    const query = encodeLookupQuery({
      ...request,
      // What the program named comes last: when there are too many, it stays.
      exclude: failed.excluded([...(wanted.avoid ?? []), ...(request.exclude ?? [])], nowMs),
      failedTicket: failed.ticket(),
      intent: wanted.intent,
    }).toString();
    asked += 1;
    enter({ name: 'asking' });
    out({ do: 'lookup', ask: asked, url: `${rota.current()}/v1/lookup${query === '' ? '' : `?${query}`}` });
  };

  const tryNext = (nowMs: number): void => {
    const pick = picks.shift();
    if (!pick) {
      wait(delayMs(), `no gateway could be reached: ${failed.lastWhy()}`);
      return;
    }
    enter({ name: 'trying', pick });
    parts.open(pick, nowMs);
  };

  const refused = (answer: Extract<LookupAnswer, { is: 'refused' }>, nowMs: number): void => {
    // A Herald that just started knows nothing yet, and one that answers for too few may be cut off: the
    // others may know more. Overload is the same at all of them.
    if (answer.code !== 'overloaded' && silences + 1 < rota.size()) {
      silences += 1;
      rota.next();
      ask(nowMs);
      return;
    }
    silences = 0;
    // A Herald that leaves out what failed says that none is left; why they failed is known here alone.
    const why = [answer.detail || answer.code, failed.forgive()].filter((part) => part !== '').join('; ');
    // Those who were told the same moment do not come back in it.
    const spreadMs = answer.wait?.isOwn === false ? Math.round(random() * WAKE_SPREAD_MS) : 0;
    wait(answer.wait ? answer.wait.forMs + spreadMs : delayMs(), why, true);
  };

  return {
    phase: () => phase,
    attempt: () => attempt,
    begin(next, afterMs, why, nowMs) {
      wanted = next;
      picks = next.first ? [next.first] : [];
      silences = 0;
      // By its own will too, unless the gateway that it goes back to asked for it.
      mayHurry = next.first === undefined;
      if (afterMs > 0) pause(afterMs, why);
      else if (picks.length > 0) tryNext(nowMs);
      else ask(nowMs);
    },
    timerFired(nowMs) {
      if (phase.name !== 'waiting') return;
      if (picks.length > 0) tryNext(nowMs);
      else ask(nowMs);
    },
    lookedUp(number, answer, nowMs) {
      if (phase.name !== 'asking' || number !== asked) return;
      switch (answer.is) {
        case 'found':
          silences = 0;
          failed.told();
          backoff = answer.backoff;
          picks = [...answer.picks];
          tryNext(nowMs);
          return;
        case 'refused':
          refused(answer, nowMs);
          return;
        case 'invalid':
          enter({ name: 'idle' });
          parts.onHopeless(answer.status, answer.detail);
          return;
        case 'silent': {
          const base = rota.current();
          rota.next();
          silences += 1;
          if (silences < rota.size()) ask(nowMs);
          else {
            silences = 0;
            wait(delayMs(), `no Herald answers at ${base} (${answer.why})`);
          }
        }
      }
    },
    pickFailed(pick, why, nowMs) {
      failed.note(pick, why, nowMs);
      if (phase.name !== 'trying') return;
      if (wanted.first === pick) {
        wait(delayMs(), `the gateway cannot be reached: ${why}`);
        return;
      }
      tryNext(nowMs);
    },
    succeeded() {
      out({ do: 'timer', name: 'acquire', afterMs: undefined });
      picks = [];
      enter({ name: 'idle' });
    },
    lasted: (long) => void (attempt = long ? 0 : attempt + 1),
    insist: () => void (wanted = { ...wanted, optional: false }),
    hurry() {
      if (phase.name !== 'waiting' || !mayHurry) return;
      mayHurry = false;
      pause(Math.min(phase.forMs, Math.round(random() * WAKE_SPREAD_MS)), phase.why);
    },
    cancel() {
      out({ do: 'timer', name: 'acquire', afterMs: undefined });
      picks = [];
      asked += 1;
      phase = { name: 'idle' };
    },
    delayMs,
  };
}
