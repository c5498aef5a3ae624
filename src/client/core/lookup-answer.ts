// (5) -> (6) What came back for a lookup, as one of four facts: picks, "wait so long", "never ask like this
// again", or silence. A refusal and a silence are different facts: only the second says try another Herald.

import type { Decoded } from '../../protocol/decode.ts';
import {
  decodeJson,
  decoding,
  fieldsOf,
  optionalNumber,
  readFields,
  refusalText,
  refuse,
  requiredText,
} from '../../protocol/decode.ts';
import type { LookupPick } from '../../protocol/lookup.ts';
import { LOOKUP_LIMITS, PROBLEM_TYPE_PREFIX } from '../../protocol/lookup.ts';
import { ID_PATTERN, ID_WORDS, isGatewayUrl } from '../../protocol/names.ts';
import type { Backoff } from '../../protocol/retry.ts';
import { DEFAULT_BACKOFF } from '../../protocol/retry.ts';

export interface FoundPicks {
  picks: LookupPick[];
  backoff: Backoff;
}

/** A Herald names a slot of this caller's own; what the header of a proxy says, all its callers hear. */
export interface ToldWait {
  forMs: number;
  isOwn: boolean;
}

export type LookupAnswer =
  | ({ is: 'found' } & FoundPicks)
  | { is: 'refused'; code: string; detail: string; wait: ToldWait | undefined }
  /** The request itself is wrong; it would be wrong again. */
  | { is: 'invalid'; status: number; detail: string }
  | { is: 'silent'; why: string };

/** However a Herald wants it: nobody asks in a circle, and nobody is away for hours. */
const SHORTEST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 600_000;
/** Of a Herald's other ports, and of a gateway. */
const NO_SUCH_ROUTE = 'no-such-route';
const DAY_MS = 86_400_000;
const TICKET = /^[A-Za-z0-9._~+/=-]{0,256}$/;

/** Judges a response. `retryAfterMs` is what its header says. */
export function judgeLookup(status: number, retryAfterMs: number | undefined, body: string): LookupAnswer {
  if (status === 200) {
    const found = decodeLookupReply(body);
    return found.ok ? { is: 'found', ...found.value } : { is: 'silent', why: refusalText(found.refusal) };
  }
  const problem = problemOf(body);
  if (status === 503 || status === 429) {
    return {
      is: 'refused',
      code: problem.code || `status ${status}`,
      detail: problem.detail,
      wait: toldWait(problem.retryAfterMs, true) ?? toldWait(retryAfterMs, false),
    };
  }
  // Only a Herald knows that the request is wrong. A 401, 403 or 404 without its words is of a proxy before it, which
  // may soon be set right; 408 and 425 ask for a repetition.
  if (
    problem.isHeralds &&
    status >= 400 &&
    status < 500 &&
    status !== 404 &&
    status !== 408 &&
    status !== 425
  ) {
    return { is: 'invalid', status, detail: problem.detail };
  }
  const why = problem.code === NO_SUCH_ROUTE ? 'not the port for lookups' : `status ${status}`;
  return { is: 'silent', why };
}

export function decodeLookupReply(body: string): Decoded<FoundPicks> {
  const json = decodeJson(body, 'reply');
  if (!json.ok) return json;
  return decoding(() => {
    const from = readFields(json.value, 'reply');
    const alternates: unknown[] = Array.isArray(from['alternates']) ? from['alternates'] : [];
    const named = [from, ...alternates.slice(0, LOOKUP_LIMITS.maxAlternates)].map((pick) =>
      decoding(() => readPick(pick)),
    );
    // One that cannot be opened is no reason to stay away from the others.
    const picks = named.flatMap((pick) => (pick.ok ? [pick.value] : []));
    if (picks.length === 0) readPick(from);
    const backoff = decoding(() => readBackoff(from['backoff']));
    return { picks, backoff: backoff.ok ? backoff.value : DEFAULT_BACKOFF };
  });
}

function readPick(value: unknown): LookupPick {
  const from = readFields(value, 'pick');
  const url = from['url'];
  if (typeof url !== 'string' || !isGatewayUrl(url)) return refuse('url', url, 'a ws:// or wss:// URL');
  return {
    gateway: requiredText(from, 'gateway', ID_PATTERN, ID_WORDS),
    url,
    ticket: requiredText(from, 'ticket', TICKET, 'a ticket'),
  };
}

function readBackoff(value: unknown): Backoff {
  if (value === undefined || value === null) return DEFAULT_BACKOFF;
  const from = readFields(value, 'backoff');
  const minMs = optionalNumber(from, 'minMs', 0, DAY_MS) ?? DEFAULT_BACKOFF.minMs;
  const maxMs = Math.max(minMs, optionalNumber(from, 'maxMs', 0, DAY_MS) ?? DEFAULT_BACKOFF.maxMs);
  return { minMs: bearable(minMs), maxMs: bearable(maxMs) };
}

function bearable(waitMs: number): number {
  return Math.min(Math.max(waitMs, SHORTEST_WAIT_MS), LONGEST_WAIT_MS);
}

interface HeardProblem {
  isHeralds: boolean;
  code: string;
  detail: string;
  retryAfterMs: number | undefined;
}

function problemOf(body: string): HeardProblem {
  const json = decodeJson(body);
  const from = fieldsOf(json.ok ? json.value : undefined);
  const text = (field: string): string => (typeof from[field] === 'string' ? from[field].slice(0, 300) : '');
  const given = from['retryAfterMs'];
  return {
    isHeralds: text('type').startsWith(PROBLEM_TYPE_PREFIX),
    code: text('code'),
    detail: text('detail'),
    retryAfterMs: typeof given === 'number' && given >= 0 ? given : undefined,
  };
}

function toldWait(waitMs: number | undefined, isOwn: boolean): ToldWait | undefined {
  return waitMs === undefined ? undefined : { forMs: bearable(waitMs), isOwn };
}
