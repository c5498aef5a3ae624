// One line of the printed table: a fault, what must hold, what was measured, and what did not hold. A row
// breaks its promise by `breach`, and nothing else makes it fail or pass.

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
  /** The worst of all measurements is kept; one above the limit is a breach. */
  took(ms: number, what?: string): void;
  /** Counts the lookups in scope; each that failed is a breach. */
  lookups(scope: Scope): void;
  /** Each lookup in scope that names the gateway is a wrong name. */
  mustNotName(gateway: string, scope: Scope, why: string): void;
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
    lookups: 0,
    failed: 0,
    wrong: 0,
    breaches: [],
    notes: [],
  };
  const breach = (what: string): void => {
    if (finding.breaches.length < MAX_BREACHES) finding.breaches.push(what);
  };
  return {
    again: () => void (finding.times += 1),
    took(ms, what = about.measured) {
      finding.worstMs = Math.max(finding.worstMs, ms);
      if (ms > about.limitMs) breach(`${what}: ${Math.round(ms)} ms, at most ${about.limitMs} ms`);
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
    mustNotName(gateway, scope, why) {
      const naming = oracle.naming(gateway, scope);
      finding.wrong += naming.length;
      const last = naming.at(-1);
      if (last) {
        const who = [...new Set(naming.map(({ road, herald }) => (road === 'direct' ? herald : road)))].join(
          ', ',
        );
        breach(
          `${naming.length} lookups named ${gateway}, ${why}; the last ` +
            `${Math.round(last.askedMs - scope.fromMs)} ms later (${who})`,
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
