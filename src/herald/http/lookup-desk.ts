// (5) From a raw query to a verdict: decode, decide, count. The hottest road of Herald, hence the memory of
// decoded queries.

import type { Clock } from '../../daemon/clock.ts';
import { problem } from '../../daemon/problem.ts';
import type { LookupRequest, Problem } from '../../protocol/lookup.ts';
import { decodeLookupQuery } from '../../protocol/lookup.ts';
import type { Balancer, LookupVerdict } from '../core/balancer-types.ts';
import type { HeraldMeters } from '../status/herald-meters.ts';
import type { Recorder } from '../recording/recorder.ts';
import type { TrafficLog } from '../status/traffic-log.ts';
import { refusalProblem } from './problem.ts';

export interface LookupDesk {
  /** `query` is the raw query, undefined when it was too long. */
  lookup(query: string | undefined): Answer;
}

export type Found = Extract<LookupVerdict, { ok: true }>;
/** `nowMs`: when it was decided. */
export type Answer = { ok: true; found: Found; nowMs: number } | { ok: false; problem: Problem };

export interface LookupDeskParts {
  balancer: Balancer;
  clock: Clock;
  meters: HeraldMeters;
  traffic: TrafficLog;
  recorder: Recorder;
}

/** Decoded queries remembered; most clients of a fleet ask the very same. */
const MAX_QUERIES = 1_000;
const TOO_LONG = problem(414, 'query-too-long', 'the query may have 4096 bytes');

export function createLookupDesk({
  balancer,
  clock,
  meters,
  traffic,
  recorder,
}: LookupDeskParts): LookupDesk {
  const decoded = new Map<string, LookupRequest>();
  const end = (outcome: string, startMs: number): void => {
    meters.lookup(outcome, clock.nowMs() - startMs);
    traffic.lookedUp(outcome);
  };
  return {
    lookup(query) {
      const nowMs = clock.nowMs();
      if (query === undefined) {
        end('invalid', nowMs);
        return { ok: false, problem: TOO_LONG };
      }
      let request = decoded.get(query);
      if (request === undefined) {
        const checked = decodeLookupQuery(new URLSearchParams(query));
        if (!checked.ok) {
          end('invalid', nowMs);
          return { ok: false, problem: refusalProblem(checked.refusal) };
        }
        request = checked.value;
        if (decoded.size >= MAX_QUERIES) decoded.clear();
        decoded.set(query, request);
      }
      recorder.lookup(request, nowMs);
      const verdict = balancer.lookup(request, nowMs);
      end(verdict.ok ? 'ok' : verdict.code, nowMs);
      if (verdict.ok) {
        meters.picked(verdict.best.gateway);
        return { ok: true, found: verdict, nowMs };
      }
      const { code, detail, refused, retryAfterMs, lookupId } = verdict;
      const told = {
        ...problem(503, code, detail, { retryAfterMs: Math.round(retryAfterMs), refused }),
        lookupId,
      };
      return { ok: false, problem: told };
    },
  };
}
