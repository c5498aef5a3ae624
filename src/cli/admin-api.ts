// Requests to a running Herald, and its errors turned into one helpful line.

import { request } from 'undici';
import { boundedAnswers, MAX_ANSWER_MB } from '../checks/ask-herald.ts';
import { leadsHere } from '../daemon/address.ts';
import { StartError } from '../daemon/lifecycle.ts';
import { failureOf } from '../daemon/thrown.ts';
import type { Problem } from '../protocol/lookup.ts';
import { readRetryAfterMs } from '../protocol/retry.ts';

export interface Target {
  url: string;
  token?: string;
}

/** Within which an answer begins, and the longest pause in it. */
export const DEADLINE_MS = 5_000;
/** Within which it is whole, also one that comes in drops. */
const WHOLE_MS = 10_000;

/** GETs or POSTs JSON. A refusal comes back with its status; an unreachable Herald is a StartError. */
export async function askJson(
  target: Target,
  path: string,
  body?: unknown,
): Promise<{ status: number; value: unknown; retryAfterMs: number | undefined }> {
  const { status, content, retryAfterMs } = await ask(target, path, body);
  return { status, value: jsonOf(content, new URL(`${target.url}${path}`), status), retryAfterMs };
}

/** GETs a page that is no JSON; a refusal is a StartError with the problem's own words. */
export async function askText(target: Target, path: string): Promise<string> {
  const { status, content, retryAfterMs } = await ask(target, path);
  if (status < 300) return content;
  throw refusal(target, status, jsonOf(content, new URL(`${target.url}${path}`), status), retryAfterMs);
}

async function ask(
  target: Target,
  path: string,
  body?: unknown,
): Promise<{ status: number; content: string; retryAfterMs: number | undefined }> {
  const url = new URL(`${target.url}${path}`);
  try {
    const {
      statusCode,
      headers,
      body: content,
    } = await request(url, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(target.token && { authorization: `Bearer ${target.token}` }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      headersTimeout: DEADLINE_MS,
      bodyTimeout: DEADLINE_MS,
      signal: AbortSignal.timeout(WHOLE_MS),
      dispatcher: boundedAnswers,
    });
    const { location } = headers;
    // Not followed: a token is for whom it was given, and a POST would become a GET.
    if (statusCode >= 300 && statusCode < 400 && location !== undefined) {
      throw new StartError(`${url.origin} sends to ${String(location)}; give the URL that it leads to`);
    }
    return {
      status: statusCode,
      content: await content.text(),
      retryAfterMs: readRetryAfterMs(headers, Date.now()),
    };
  } catch (error) {
    throw error instanceof StartError ? error : noAnswer(url, error);
  }
}

/** Why nothing came from there, as the error to throw. */
export function noAnswer(url: URL, error: unknown): StartError {
  const why = whyOf(error);
  if (!UNTRUSTED.test(why)) return new NoHerald(url, why);
  return new StartError(
    `the certificate of ${url.origin} is not trusted (${why}); NODE_EXTRA_CA_CERTS=FILE adds an authority of your own`,
  );
}

/** Codes of Node for a certificate that does not hold: expired, for another name, signed by nobody known. */
const UNTRUSTED = /CERT|VERIFY_LEAF_SIGNATURE/;

/** Codes of undici for one that is silent. */
const TIMED_OUT = /^UND_ERR_(CONNECT|HEADERS|BODY)_TIMEOUT$/;

export function whyOf(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError') return 'no whole answer in time';
  const why = failureOf(error);
  if (why === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') return `more than ${MAX_ANSWER_MB} MB`;
  return TIMED_OUT.test(why) ? 'no answer in time' : why;
}

/** Nobody answers there. Where nobody listens, on this machine, one can be started from here. */
export class NoHerald extends StartError {
  readonly place: string;

  constructor(url: URL, why: string) {
    const place = `${url.origin} (${why})`;
    const canBeHere = why === 'ECONNREFUSED' && leadsHere(url.href);
    super(`no Herald answers at ${place}${canBeHere ? '; start one with "herald up"' : ''}`);
    this.place = place;
  }
}

/** Asks each Herald in turn until one answers, be it with a refusal. */
export async function askFirst<T>(
  urls: readonly string[],
  path: string,
  field: keyof T & string,
): Promise<T> {
  const silent: NoHerald[] = [];
  for (const url of urls) {
    try {
      return await askSuccess<T>({ url }, path, field);
    } catch (error) {
      if (!(error instanceof NoHerald)) throw error;
      silent.push(error);
    }
  }
  if (silent.length === 1) throw silent[0]!;
  throw new StartError(`no Herald answers at ${silent.map(({ place }) => place).join(', ')}`);
}

export function jsonOf(content: string, url: URL, status: number): unknown {
  if (content === '') return undefined;
  try {
    return JSON.parse(content) as unknown;
  } catch {
    const answer = status < 300 ? 'no JSON' : `${status} and no JSON`;
    throw noHerald(url, answer);
  }
}

function noHerald(url: URL, answer: string): StartError {
  return new StartError(`what answers at ${url.origin} is not a Herald: ${url.pathname} gave ${answer}`);
}

/**
 * As `askJson`, but anything other than success is a StartError with the problem's own words, and so is an answer without
 * `field`, by which Herald's are known.
 */
export async function askSuccess<T>(
  target: Target,
  path: string,
  field: keyof T & string,
  body?: unknown,
): Promise<T> {
  const { status, value, retryAfterMs } = await askJson(target, path, body);
  if (status >= 300) throw refusal(target, status, value, retryAfterMs);
  if (typeof value === 'object' && value !== null && field in value) return value as T;
  throw noHerald(new URL(`${target.url}${path}`), `no "${field}"`);
}

const PORTS = '7400 answers lookups, 7401 who publishes, 7403 all other commands';

export function refusal(
  target: Target,
  status: number,
  value: unknown,
  retryAfterMs: number | undefined,
): StartError {
  if (status === 401) {
    const wish = target.token ? 'does not take the token given' : 'asks for a token; give it';
    return new StartError(`${target.url} ${wish} with --token or HERALD_ADMIN_TOKEN`);
  }
  const problem = value as Partial<Problem> | undefined;
  if (problem?.code === 'no-such-route') {
    return new StartError(`${target.url} does not know this: is it the right port? By default ${PORTS}`);
  }
  const wait = retryAfterMs === undefined ? '' : `; try again in ${Math.ceil(retryAfterMs / 1_000)} s`;
  return new StartError(`${status} ${problem?.title ?? ''}: ${problem?.detail ?? 'no detail given'}${wait}`);
}
