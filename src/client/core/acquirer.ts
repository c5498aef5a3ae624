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

/** A connection that lived this long was a good one: the next wait starts small again. */
const CALM_AFTER_MS = 5_000;

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

export class Acquirer {
  readonly #parts: AcquirerParts;
  readonly #failed = createFailedPicks();
  #phase: AcquirePhase = { name: 'idle' };
  #wanted: Wanted = { intent: 'connect' };
  /** Still to be tried. */
  #picks: LookupPick[] = [];
  #backoff: Backoff = DEFAULT_BACKOFF;
  #attempt = 0;
  /** The number of the last question: the answer to an earlier one comes too late. */
  #asked = 0;
  /** Heralds in a row from which nothing came that helps. */
  #silences = 0;
  /** It waits by its own will, and not because it was told to. */
  #mayHurry = false;

  constructor(parts: AcquirerParts) {
    this.#parts = parts;
  }

  phase(): AcquirePhase {
    return this.#phase;
  }

  /** Acquisitions in a row that did not lead to a lasting connection. */
  attempt(): number {
    return this.#attempt;
  }

  /** A random wait before the next try, growing with the attempts. */
  delayMs(): number {
    return retryDelayMs(this.#attempt, this.#backoff, this.#parts.random());
  }

  /** Starts after `afterMs`; replaces one that runs. */
  begin(wanted: Wanted, afterMs: number, why: string, nowMs: number): void {
    this.#wanted = wanted;
    this.#picks = wanted.first ? [wanted.first] : [];
    this.#silences = 0;
    // By its own will too, unless the gateway that it goes back to asked for it.
    this.#mayHurry = wanted.first === undefined;
    if (afterMs > 0) this.#pause(afterMs, why);
    else this.#goOn(nowMs);
  }

  timerFired(nowMs: number): void {
    if (this.#phase.name === 'waiting') this.#goOn(nowMs);
  }

  lookedUp(ask: number, answer: LookupAnswer, nowMs: number): void {
    if (this.#phase.name !== 'asking' || ask !== this.#asked) return;
    switch (answer.is) {
      case 'found':
        this.#silences = 0;
        this.#failed.told();
        this.#backoff = answer.backoff;
        this.#picks = [...answer.picks];
        this.#tryNext(nowMs);
        return;
      case 'refused':
        this.#refused(answer, nowMs);
        return;
      case 'invalid':
        this.#enter({ name: 'idle' });
        this.#parts.onHopeless(answer.status, answer.detail);
        return;
      case 'silent':
        this.#silent(answer.why, nowMs);
    }
  }

  pickFailed(pick: LookupPick, why: string, nowMs: number): void {
    this.#failed.note(pick, why, nowMs);
    if (this.#phase.name !== 'trying') return;
    if (this.#wanted.first === pick) this.#retry(`the gateway cannot be reached: ${why}`);
    else this.#tryNext(nowMs);
  }

  /** A connection stands. */
  succeeded(): void {
    this.#dropPlans();
    this.#enter({ name: 'idle' });
  }

  /** A connection was lost after `forMs`; when it had lasted, waits start small again, else they grow. */
  lasted(forMs: number): void {
    this.#attempt = forMs >= CALM_AFTER_MS ? 0 : this.#attempt + 1;
  }

  /** What was optional is needed now. */
  insist(): void {
    this.#wanted = { ...this.#wanted, optional: false };
  }

  /** What could not be reached may be there again: a wait for it becomes a short one, once. */
  hurry(): void {
    if (this.#phase.name !== 'waiting' || !this.#mayHurry) return;
    this.#mayHurry = false;
    const { forMs, why } = this.#phase;
    this.#pause(Math.min(forMs, this.#spreadMs()), why);
  }

  cancel(): void {
    this.#dropPlans();
    this.#asked += 1;
    this.#phase = { name: 'idle' };
  }

  #goOn(nowMs: number): void {
    if (this.#picks.length > 0) this.#tryNext(nowMs);
    else this.#ask(nowMs);
  }

  #ask(nowMs: number): void {
    const { request, rota, out } = this.#parts;
    const query = encodeLookupQuery({
      ...request,
      // What the program named comes last: when there are too many, it stays.
      exclude: this.#failed.excluded([...(this.#wanted.avoid ?? []), ...(request.exclude ?? [])], nowMs),
      failedTicket: this.#failed.ticket(),
      intent: this.#wanted.intent,
    }).toString();
    this.#asked += 1;
    this.#enter({ name: 'asking' });
    const url = `${rota.current()}/v1/lookup${query === '' ? '' : `?${query}`}`;
    out({ do: 'lookup', ask: this.#asked, url });
  }

  #tryNext(nowMs: number): void {
    const pick = this.#picks.shift();
    if (!pick) {
      this.#retry(`no gateway could be reached: ${this.#failed.lastWhy()}`);
      return;
    }
    this.#enter({ name: 'trying', pick });
    this.#parts.open(pick, nowMs);
  }

  #refused(answer: Extract<LookupAnswer, { is: 'refused' }>, nowMs: number): void {
    // A Herald that just started knows nothing yet, and one that answers for too few may be cut off: the
    // others may know more. Overload is the same at all of them.
    if (answer.code !== 'overloaded' && this.#silences + 1 < this.#parts.rota.size()) {
      this.#askNextHerald(nowMs);
      return;
    }
    this.#silences = 0;
    // A Herald that leaves out what failed says that none is left; why they failed is known here alone.
    const why = [answer.detail || answer.code, this.#failed.forgive()].filter((part) => part !== '');
    // Those who were told the same moment do not come back in it.
    const spreadMs = answer.wait?.isOwn === false ? this.#spreadMs() : 0;
    this.#wait(answer.wait ? answer.wait.forMs + spreadMs : this.delayMs(), why.join('; '), true);
  }

  #silent(why: string, nowMs: number): void {
    const { rota } = this.#parts;
    if (this.#silences + 1 < rota.size()) {
      this.#askNextHerald(nowMs);
      return;
    }
    this.#silences = 0;
    const base = rota.current();
    rota.next();
    this.#retry(`no Herald answers at ${base} (${why})`);
  }

  #askNextHerald(nowMs: number): void {
    this.#silences += 1;
    this.#parts.rota.next();
    this.#ask(nowMs);
  }

  /** Waits by its own will. */
  #retry(why: string): void {
    this.#wait(this.delayMs(), why, false);
  }

  #wait(forMs: number, why: string, isTold: boolean): void {
    this.#attempt += 1;
    if (this.#wanted.optional) {
      this.#enter({ name: 'idle' });
      this.#parts.onAbandoned(why);
      return;
    }
    this.#mayHurry = !isTold;
    this.#pause(forMs, why);
  }

  #pause(forMs: number, why: string): void {
    this.#parts.out({ do: 'timer', name: 'acquire', afterMs: forMs });
    this.#enter({ name: 'waiting', forMs, why });
  }

  #spreadMs(): number {
    return Math.round(this.#parts.random() * WAKE_SPREAD_MS);
  }

  #dropPlans(): void {
    this.#parts.out({ do: 'timer', name: 'acquire', afterMs: undefined });
    this.#picks = [];
  }

  #enter(next: AcquirePhase): void {
    this.#phase = next;
    this.#parts.onChange();
  }
}
