// One line of the printed table: a fault, what must hold, what was measured, and what did not hold. A row
// breaks its promise by `breach`, and nothing else makes it fail or pass. A limit of time is the limit plus
// what the machine took from this process in the same moments, and never more than twice the limit.

import type { Try } from './fair-tries.ts';
import type { Oracle, Scope } from './oracle.ts';
import { FAILED_AFTER_MS } from './oracle.ts';

export interface Finding {
  fault: string;
  /** How often the fault was made. */
  times: number;
  /** What `worstMs` measures. */
  measured: string;
  worstMs: number;
  /** What `worstMs` may be; Infinity = told only. */
  limitMs: number;
  /** How late this process's own timers were while the worst was measured. */
  lateMs: number;
  lookups: number;
  failed: number;
  wrong: number;
  /** What did not hold, in words; empty = held. */
  breaches: string[];
  /** Further figures, for the reader. */
  notes: string[];
}

export interface FindingBook {
  /** Another time the fault was made. */
  again(): void;
  /**
   * The worst of all measurements is kept; one above what is allowed is a breach. `fromMs` is when it began;
   * `waitedMs` is what else the machine is known to have taken from it.
   */
  took(fromMs: number, ms: number, what?: string, waitedMs?: number): void;
  /** What may pass from `fromMs` on: the limit and the lateness of these moments, at most twice the limit. */
  allowedMs(fromMs: number, limitMs?: number): number;
  /** False when the machine took more than the limit itself: then the moments say nothing of Herald. */
  fair(fromMs: number, work?: Try['work']): boolean;
  /** Counts the lookups in scope; each that failed is a breach. */
  lookups(scope: Scope): void;
  /** Each lookup in scope, after `limitMs` and the lateness, that names the gateway is a wrong name. */
  mustNotName(gateway: string, limitMs: number, scope: Scope, why: string): void;
  breach(what: string): void;
  /** A breach unless `holds`. */
  must(holds: boolean, what: string): void;
  note(what: string): void;
  end(): Finding;
}

const MAX_BREACHES = 12;

export function findingOf(
  oracle: Oracle,
  about: { fault: string; measured: string; limitMs: number },
): FindingBook {
  const finding: Finding = {
    ...about,
    times: 0,
    worstMs: 0,
    lateMs: 0,
    lookups: 0,
    failed: 0,
    wrong: 0,
    breaches: [],
    notes: [],
  };
  const breach = (what: string): void => {
    if (finding.breaches.length < MAX_BREACHES) finding.breaches.push(what);
  };
  const lateMs = (fromMs: number, limitMs: number): number =>
    Number.isFinite(limitMs) ? Math.min(limitMs, oracle.lateMs(fromMs, fromMs + limitMs)) : 0;
  return {
    again: () => void (finding.times += 1),
    took(fromMs, ms, what = about.measured, waitedMs = 0) {
      const late = Math.max(lateMs(fromMs, about.limitMs), Math.min(about.limitMs, waitedMs));
      if (ms >= finding.worstMs) Object.assign(finding, { worstMs: ms, lateMs: late });
      if (ms <= about.limitMs + late) return;
      const mercy = `the machine took ${Math.round(late)} ms`;
      breach(`${what}: ${Math.round(ms)} ms, at most ${about.limitMs} ms (${mercy})`);
    },
    allowedMs: (fromMs, limitMs = about.limitMs) => limitMs + lateMs(fromMs, limitMs),
    fair: (fromMs, { tookMs, waitedMs } = { tookMs: 0, waitedMs: 0 }) => {
      // What was in time in spite of all waiting needs no mercy.
      const starved = waitedMs > about.limitMs && tookMs > 2 * about.limitMs;
      return !starved && oracle.lateMs(fromMs, fromMs + about.limitMs) <= about.limitMs;
    },
    lookups(scope) {
      finding.lookups += oracle.asked(scope);
      const failures = oracle.failures(scope);
      finding.failed += failures.length;
      const [first] = failures;
      if (first) {
        const tookMs = Math.round(first.answeredMs - first.askedMs);
        const why =
          first.status === 200
            ? `took ${tookMs} ms, more than ${FAILED_AFTER_MS}`
            : `${first.status} after ${tookMs} ms ${first.trouble}`;
        breach(
          `${failures.length} lookups failed, the first ${Math.round(first.askedMs - scope.fromMs)} ms in ` +
            `(${first.road} ${first.herald}): ${why}`,
        );
      }
      if (oracle.asked(scope) === 0) breach('no lookup was asked: the load is not running');
    },
    mustNotName(gateway, limitMs, scope, why) {
      const fromMs = scope.fromMs + limitMs + lateMs(scope.fromMs, limitMs);
      const naming = oracle.naming(gateway, { ...scope, fromMs });
      finding.wrong += naming.length;
      const last = naming.at(-1);
      if (last) {
        const who = [...new Set(naming.map(({ road, herald }) => (road === 'direct' ? herald : road)))].join(
          ', ',
        );
        breach(
          `${naming.length} lookups named ${gateway} more than ${Math.round(fromMs - scope.fromMs)} ms ` +
            `after it was ${why}; the last after ${Math.round(last.askedMs - scope.fromMs)} ms (${who})`,
        );
      }
    },
    breach,
    must(holds, what) {
      if (!holds) breach(what);
    },
    note: (what) => void finding.notes.push(what),
    end: () => finding,
  };
}
