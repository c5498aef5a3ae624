// (5) The question a client asks before it opens a socket (`GET /v1/lookup`) and Herald's answer.

import type { Decoded } from './decode.ts';
import { decoding, refuse } from './decode.ts';
import {
  ID_PATTERN,
  ID_WORDS,
  LABEL_KEY_PATTERN,
  LABEL_VALUE_PATTERN,
  MAX_LABELS,
  PLACE_PATTERN,
  PLACE_WORDS,
} from './names.ts';

/** Why the client asks: moves and resumes are let in above the admission limit, up to a higher one. */
export type LookupIntent = 'connect' | 'resume' | 'move';

/** A wish: a gateway with the label may be more loaded by `weight` (0..1) than one without and still win. */
export interface PreferredLabel {
  key: string;
  value: string;
  weight: number;
}

/** The weight of a wish that names none, as for the zone. */
export const DEFAULT_PREFERENCE = 0.1;

export interface LookupRequest {
  pool: string;
  /** Preferred zone; empty = no preference. */
  zone: string;
  /** Required labels, from `label=k=v`. */
  labels: Record<string, string>;
  /** Labels the client would rather have, from `prefer=k=v@weight`. */
  preferred?: PreferredLabel[];
  /** Affinity key; empty = none. */
  key: string;
  /** Gateways not to be named: they failed this client. */
  exclude: string[];
  /** The ticket of the pick that failed, so that the hint counts once; empty = none. */
  failedTicket: string;
  /** Expected size of the connection; 1 = an average one. */
  size: number;
  /** Alternates wanted. */
  alternates: number;
  intent: LookupIntent;
}

export interface LookupPick {
  gateway: string;
  url: string;
  ticket: string;
}

export interface LookupReply extends LookupPick {
  lookupId: string;
  /** When the ticket expires, RFC 3339 in Herald's clock. */
  expiresAt: string;
  alternates: LookupPick[];
  /** When every pick failed, the limit of the random wait before the next lookup: from `minMs`, doubling up to `maxMs`. */
  backoff: { minMs: number; maxMs: number };
  table: { version: number; ageMs: number };
}

/** What `type` of a refusal begins with: nobody else's problem does. */
export const PROBLEM_TYPE_PREFIX = 'urn:herald:problem:';

/** The body of a refusal, RFC 9457 (`application/problem+json`). */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  /** A stable word for programs. */
  code: string;
  retryAfterMs?: number;
  /** How many gateways each filter removed. */
  refused?: Record<string, number>;
}

export const LOOKUP_LIMITS = {
  maxQueryBytes: 4_096,
  maxExclude: 16,
  maxAlternates: 8,
  defaultAlternates: 3,
  maxKeyChars: 256,
  maxSize: 10_000,
  maxTicketChars: 256,
} as const;

/** What an empty query asks for. */
export const DEFAULT_LOOKUP: LookupRequest = {
  pool: 'default',
  zone: '',
  labels: {},
  key: '',
  exclude: [],
  failedTicket: '',
  size: 1,
  alternates: LOOKUP_LIMITS.defaultAlternates,
  intent: 'connect',
};

/** What the paths of a Herald follow: its URL without slashes at the end, and without the path of the lookup itself. */
export function heraldBaseOf(url: string): string {
  return url.replace(/(\/v1\/lookup)?\/*$/, '');
}

/** Decodes the query of a lookup or connect request. Unknown parameters are ignored. */
export function decodeLookupQuery(query: URLSearchParams): Decoded<LookupRequest> {
  return decoding(() => ({
    pool: place(query, 'pool') || 'default',
    zone: place(query, 'zone'),
    labels: labels(query.getAll('label')),
    ...preferred(query.getAll('prefer')),
    key: bounded(query, 'key', LOOKUP_LIMITS.maxKeyChars),
    exclude: excluded(query.getAll('exclude')),
    failedTicket: bounded(query, 'failed', LOOKUP_LIMITS.maxTicketChars),
    size: number(query, 'size', 0.001, LOOKUP_LIMITS.maxSize, 1),
    alternates: number(query, 'n', 0, LOOKUP_LIMITS.maxAlternates, LOOKUP_LIMITS.defaultAlternates, true),
    intent: intent(query.get('intent')),
  }));
}

/** The inverse of `decodeLookupQuery`: leaves out what is at its default. */
export function encodeLookupQuery(request: Partial<LookupRequest>): URLSearchParams {
  const query = new URLSearchParams();
  if (request.pool && request.pool !== 'default') query.set('pool', request.pool);
  if (request.zone) query.set('zone', request.zone);
  for (const [key, value] of Object.entries(request.labels ?? {})) query.append('label', `${key}=${value}`);
  for (const { key, value, weight } of request.preferred ?? []) {
    query.append('prefer', `${key}=${value}@${weight}`);
  }
  if (request.key) query.set('key', request.key);
  for (const gateway of request.exclude ?? []) query.append('exclude', gateway);
  if (request.failedTicket) query.set('failed', request.failedTicket);
  if (request.size !== undefined && request.size !== 1) query.set('size', String(request.size));
  if (request.alternates !== undefined && request.alternates !== LOOKUP_LIMITS.defaultAlternates) {
    query.set('n', String(request.alternates));
  }
  if (request.intent && request.intent !== 'connect') query.set('intent', request.intent);
  return query;
}

function place(query: URLSearchParams, name: string): string {
  const value = query.get(name) ?? '';
  if (!PLACE_PATTERN.test(value)) refuse(name, value, PLACE_WORDS);
  return value;
}

function bounded(query: URLSearchParams, name: string, max: number): string {
  const value = query.get(name) ?? '';
  if (value.length > max) refuse(name, value, `at most ${max} characters`);
  return value;
}

function labels(pairs: string[], field = 'label'): Record<string, string> {
  if (pairs.length > MAX_LABELS) refuse(field, pairs.length, `at most ${MAX_LABELS} labels`);
  const found: Record<string, string> = {};
  for (const pair of pairs) {
    const equals = pair.indexOf('=');
    const key = pair.slice(0, equals);
    const value = pair.slice(equals + 1);
    if (
      equals < 1 ||
      key === '__proto__' ||
      !LABEL_KEY_PATTERN.test(key) ||
      !LABEL_VALUE_PATTERN.test(value)
    ) {
      refuse(field, pair, 'key=value');
    }
    found[key] = value;
  }
  return found;
}

/** `k=v`, or `k=v@0.2` with its weight. */
function preferred(wishes: string[]): { preferred?: PreferredLabel[] } {
  if (wishes.length === 0) return {};
  if (wishes.length > MAX_LABELS) refuse('prefer', wishes.length, `at most ${MAX_LABELS} labels`);
  return {
    preferred: wishes.map((wish) => {
      const at = wish.lastIndexOf('@');
      const [entry] = Object.entries(labels([at < 0 ? wish : wish.slice(0, at)], 'prefer'));
      const weight = at < 0 ? DEFAULT_PREFERENCE : Number(wish.slice(at + 1) || NaN);
      if (!entry || !(weight >= 0 && weight <= 1))
        return refuse('prefer', wish, 'key=value@weight, weight 0..1');
      return { key: entry[0], value: entry[1], weight };
    }),
  };
}

function excluded(values: string[]): string[] {
  const ids = values.flatMap((value) => value.split(',')).filter((id) => id !== '');
  if (ids.length > LOOKUP_LIMITS.maxExclude) {
    refuse('exclude', ids.length, `at most ${LOOKUP_LIMITS.maxExclude} gateways`);
  }
  for (const id of ids) if (!ID_PATTERN.test(id)) refuse('exclude', id, ID_WORDS);
  return ids;
}

function number(
  query: URLSearchParams,
  name: string,
  min: number,
  max: number,
  fallback: number,
  whole = false,
): number {
  const text = query.get(name);
  if (text === null || text === '') return fallback;
  const value = Number(text);
  if (!(value >= min && value <= max) || (whole && !Number.isInteger(value))) {
    refuse(name, text, `${whole ? 'an integer' : 'a number'} from ${min} to ${max}`);
  }
  return value + 0;
}

function intent(value: string | null): LookupIntent {
  if (value === null || value === '') return 'connect';
  if (value === 'connect' || value === 'resume' || value === 'move') return value;
  return refuse('intent', value, 'one of connect, resume, move');
}
