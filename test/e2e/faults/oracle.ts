// What was broken when, what was asked when, and what was answered: the oracle's book, and the questions the
// rows put to it. All times are this process's monotonic clock, in which every fault is made and every
// lookup is sent, so that "after" needs no agreement between machines.

/** Which road a lookup took: straight to one Herald, a client that goes on to the next, or HAProxy. */
export type Road = 'direct' | 'client' | 'haproxy';

export interface Answer {
  road: Road;
  /** The Herald that answered, or the last one tried; empty behind HAProxy. */
  herald: string;
  askedMs: number;
  answeredMs: number;
  /** HTTP status; 0 = no answer in time or a broken connection. */
  status: number;
  /** The gateway named, then the alternates. */
  names: readonly string[];
  /** `table.ageMs` of the reply: how old the report behind the name is. */
  tableAgeMs: number;
  /** What went wrong, when something did. */
  trouble: string;
}

export interface Fault {
  atMs: number;
  what: string;
}

export interface Scope {
  fromMs: number;
  toMs?: number;
  roads?: readonly Road[];
  /** Heralds asked directly; all when absent. Clients and HAProxy count whoever answered them. */
  heralds?: readonly string[];
}

/** A lookup that took longer than this counts as failed: its user has given up. */
export const FAILED_AFTER_MS = 1_000;

export interface Oracle {
  fault(what: string): number;
  record(answer: Answer): void;
  /** Forgets answers, so that hours of running fit in memory; faults stay. */
  turnPage(): void;
  asked(scope: Scope): number;
  failures(scope: Scope): Answer[];
  /** How long after `fromMs` a lookup was asked that still named the gateway; 0 when none was. */
  lastNamedMs(gateway: string, scope: Scope): number;
  /** Lookups asked in scope that named the gateway. */
  naming(gateway: string, scope: Scope): Answer[];
  /** Longest time between question and answer. */
  slowestMs(scope: Scope): number;
  answers(scope: Scope): Answer[];
  faults(): readonly Fault[];
  /** How long this process's own timers were late between the two moments (metronome.ts). */
  lateMs(fromMs: number, toMs: number): number;
}

/** `onEvent` sees each fault and each answer as it comes, for a log file. */
export function createOracle(
  onEvent: (event: Fault | Answer) => void = () => {},
  lateMs: Oracle['lateMs'] = () => 0,
): Oracle {
  const faults: Fault[] = [];
  let book: Answer[] = [];

  const within =
    ({ fromMs, toMs = Infinity, roads, heralds }: Scope) =>
    (answer: Answer): boolean =>
      answer.askedMs >= fromMs &&
      answer.askedMs <= toMs &&
      (roads === undefined || roads.includes(answer.road)) &&
      (heralds === undefined || answer.road !== 'direct' || heralds.includes(answer.herald));
  const answers = (scope: Scope): Answer[] => book.filter(within(scope));
  const naming = (gateway: string, scope: Scope): Answer[] =>
    answers(scope).filter(({ names }) => names.includes(gateway));

  return {
    fault(what) {
      const atMs = performance.now();
      faults.push({ atMs, what });
      onEvent({ atMs, what });
      return atMs;
    },
    record(answer) {
      book.push(answer);
      onEvent(answer);
    },
    turnPage: () => (book = []),
    asked: (scope) => answers(scope).length,
    failures: (scope) =>
      answers(scope).filter(
        ({ status, askedMs, answeredMs }) => status !== 200 || answeredMs - askedMs > FAILED_AFTER_MS,
      ),
    lastNamedMs: (gateway, scope) =>
      naming(gateway, scope).reduce((last, { askedMs }) => Math.max(last, askedMs - scope.fromMs), 0),
    naming,
    slowestMs: (scope) =>
      answers(scope).reduce((most, { askedMs, answeredMs }) => Math.max(most, answeredMs - askedMs), 0),
    answers,
    faults: () => faults,
    lateMs,
  };
}
