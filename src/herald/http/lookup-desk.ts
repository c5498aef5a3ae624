// (5) From a raw query to an answer: decode, decide, sign, write. The hottest road of Herald, hence the memory
// of decoded queries and of the constant pieces of each gateway's JSON.

import type { Clock } from '../../daemon/clock.ts';
import { DEFAULT_BACKOFF } from '../../protocol/retry.ts';
import type { LookupRequest, Problem } from '../../protocol/lookup.ts';
import { decodeLookupQuery } from '../../protocol/lookup.ts';
import { TICKET_TTL_MS } from '../../protocol/ticket.ts';
import type { Balancer, LookupVerdict, Pick } from '../core/balancer-types.ts';
import type { HeraldMeters } from '../herald-meters.ts';
import type { Recorder } from '../recorder.ts';
import type { TicketOffice } from '../tickets.ts';
import { inOnePiece, SIGNED_AHEAD_MS } from '../tickets.ts';
import type { TrafficLog } from '../traffic-log.ts';
import { problem, refusalProblem } from './problem.ts';

export interface LookupDesk {
  /** `query` is the raw query, undefined when it was too long. */
  lookup(query: string | undefined): Answer;
}

export type Found = Extract<LookupVerdict, { ok: true }>;
export type Answer = { ok: true; found: Found } | { ok: false; problem: Problem };

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
        return { ok: true, found: verdict };
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

const EXPIRY_STEP_MS = 100;
/** Gateways whose constant part of the JSON is kept; beyond, all are written anew. */
const MAX_BEGINNINGS = 100_000;
const BACKOFF_JSON = JSON.stringify(DEFAULT_BACKOFF);

/**
 * Writes lookup replies as text. Ids and URLs are ASCII without quotes (src/protocol/names.ts), so nothing
 * needs escaping here.
 */
export function createReplyWriter(tickets: TicketOffice, clock: Clock): (found: Found) => string {
  let expiryEpochMs = 0;
  let expiryText = '';
  // Until then every ticket of the answer is good: early by at most the step and what they were signed ahead.
  const expiresAt = (): string => {
    const earliestMs = clock.epochMs() + TICKET_TTL_MS - SIGNED_AHEAD_MS;
    const atMs = Math.floor(earliestMs / EXPIRY_STEP_MS) * EXPIRY_STEP_MS;
    if (atMs !== expiryEpochMs) {
      expiryEpochMs = atMs;
      expiryText = new Date(atMs).toISOString();
    }
    return expiryText;
  };
  const beginnings = new Map<string, { url: string; text: string }>();
  const beginning = ({ gateway, url }: Pick): string => {
    let known = beginnings.get(gateway);
    if (known?.url !== url) {
      if (beginnings.size >= MAX_BEGINNINGS) beginnings.clear();
      known = { url, text: inOnePiece(`"gateway":"${gateway}","url":"${url}","ticket":"`) };
      beginnings.set(gateway, known);
    }
    return known.text;
  };
  const pickJson = (pick: Pick, nowMs: number): string =>
    beginning(pick) + tickets.issue(pick.gateway, pick.ticketSeq, nowMs);
  return (found) => {
    const nowMs = Math.round(clock.nowMs());
    let alternates = '';
    for (const pick of found.alternates) {
      alternates += (alternates === '' ? '{' : ',{') + pickJson(pick, nowMs) + '"}';
    }
    return (
      `{"lookupId":"${found.lookupId}",${pickJson(found.best, nowMs)}","expiresAt":"${expiresAt()}",` +
      `"alternates":[${alternates}],"backoff":${BACKOFF_JSON},` +
      `"table":{"version":${found.tableVersion},"ageMs":${Math.round(found.tableAgeMs)}}}`
    );
  };
}
