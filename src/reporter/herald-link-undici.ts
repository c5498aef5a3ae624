// (1) The one connection to one Herald. Kept alive on purpose: its close without a goodbye tells Herald of a
// death milliseconds after it happened. Posts never overlap; while one is under way the next waits as a
// kind, not as a queue, and is written fresh when its turn comes.

import { Client } from 'undici';
import type { Clock } from '../daemon/clock.ts';
import type { Log } from '../daemon/log.ts';
import { errorFields } from '../daemon/log.ts';
import { refusalText } from '../protocol/decode.ts';
import type { FeedbackReply } from '../protocol/load-report.ts';
import { retryDelayMs } from '../protocol/retry.ts';
import { createClockOffset } from './clock-offset.ts';
import { decodeFeedbackReply } from './feedback-reply.ts';
import type { ReportKind } from './report-pace.ts';

const REQUEST_DEADLINE_MS = 2_000;
const GOODBYE_DEADLINE_MS = 1_000;
/** Longer than any report period, so that only a death or a goodbye closes the connection. */
const KEEP_ALIVE_MS = 90_000;
const MAX_REPLY_BYTES = 1024 * 1024;
/** Where a Herald tells the nonce that signatures must carry. */
const NONCE_HEADER = 'herald-nonce';
const BACKOFF = { minMs: 100, maxMs: 5_000 };

export type LinkState = 'new' | 'up' | 'failing' | 'closed';

export interface LinkSnapshot {
  url: string;
  /** Empty until the first reply. */
  heraldId: string;
  state: LinkState;
  /** In a row; 0 while it answers. */
  failures: number;
  lastError: string;
  ticketClockOffsetMs: number | undefined;
  /** Round trip of the last answered report. */
  tripMs: number | undefined;
}

export interface HeraldLink {
  /** Sends a report now, or right after the one under way; skipped while backing off, unless `urgent`. */
  push(kind: ReportKind, urgent?: boolean): void;
  /** Resolves when nothing is under way or waiting. */
  idle(): Promise<void>;
  /** Says that the gateway leaves, then closes. Never rejects. */
  goodbye(): Promise<void>;
  /** Closes without a word: the Herald is not needed any more. */
  drop(): void;
  snapshot(): LinkSnapshot;
}

interface Answer {
  status: number;
  text: string;
  retryAfterMs: number;
}

export interface LinkParts {
  origin: string;
  /** Path of this gateway's own feedback resource, for the goodbye. */
  gatewayPath: string;
  /** The body of a report of this kind, as of now. */
  write: (kind: ReportKind) => string;
  /**
   * Make signature headers for `body` with the nonce that this Herald announced; the likeliest to be right first. A
   * Herald may not know a new secret yet.
   */
  signers: readonly ((nonce: string, body: string) => Record<string, string>)[];
  onReply: (reply: FeedbackReply) => void;
  /** A report was not acknowledged. */
  onFailure: () => void;
  log: Log;
  clock: Clock;
  random: () => number;
}

export function openHeraldLink(parts: LinkParts): HeraldLink {
  const { origin, clock, log } = parts;
  const client = new Client(origin, {
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MS,
    headersTimeout: REQUEST_DEADLINE_MS,
    bodyTimeout: REQUEST_DEADLINE_MS,
    connect: { timeout: REQUEST_DEADLINE_MS },
    maxResponseSize: MAX_REPLY_BYTES,
  });
  const offset = createClockOffset();
  let state: LinkState = 'new';
  let heraldId = '';
  let failures = 0;
  let lastError = '';
  let tripMs: number | undefined;
  let nonce = '';
  let signer = 0;
  let refusing = false;
  let notBeforeMs = -Infinity;
  let underWay: Promise<void> | undefined;
  let waiting: ReportKind | undefined;

  const failed = (why: string, fields: Record<string, unknown>, retryAfterMs = 0): void => {
    if (state === 'closed') return;
    if (state !== 'failing' || why !== lastError)
      log.warn('herald-unreachable', { herald: origin, ...fields });
    state = 'failing';
    lastError = why;
    notBeforeMs = clock.nowMs() + Math.max(retryAfterMs, retryDelayMs(failures, BACKOFF, parts.random()));
    failures += 1;
    parts.onFailure();
  };

  /**
   * One request with its deadline. The nonce to sign with is new with each start of a Herald and comes in its
   * answers; a 401 that brings one we did not know is answered at once, and one that does not with the next key.
   */
  const exchange = async (method: 'POST' | 'DELETE', path: string, body: string): Promise<Answer> => {
    const signal = AbortSignal.timeout(method === 'POST' ? REQUEST_DEADLINE_MS : GOODBYE_DEADLINE_MS);
    let keysLeft = parts.signers.length - 1;
    for (;;) {
      const signedWith = nonce;
      const response = await client.request({
        method,
        path,
        headers: {
          ...(method === 'POST' && { 'content-type': 'application/json' }),
          ...parts.signers[signer]!(signedWith, body),
        },
        ...(method === 'POST' && { body }),
        signal,
      });
      const text = await response.body.text();
      const announced = response.headers[NONCE_HEADER];
      if (typeof announced === 'string') nonce = announced;
      if (response.statusCode === 401 && nonce !== signedWith) continue;
      if (response.statusCode === 401 && keysLeft > 0) {
        keysLeft -= 1;
        signer = (signer + 1) % parts.signers.length;
        continue;
      }
      return {
        status: response.statusCode,
        text,
        retryAfterMs: Math.min(10_000, 1_000 * (Number(response.headers['retry-after']) || 0)),
      };
    }
  };

  const post = async (kind: ReportKind): Promise<void> => {
    const sentMs = clock.nowMs();
    try {
      const { status, text, retryAfterMs } = await exchange('POST', '/v1/feedback', parts.write(kind));
      if (status !== 200) {
        failed(`status ${status}`, { status, answer: text.slice(0, 300) }, retryAfterMs);
        return;
      }
      const reply = decodeFeedbackReply(text);
      if (!reply.ok) {
        failed('bad reply', { error: refusalText(reply.refusal) });
        return;
      }
      const receivedMs = clock.nowMs();
      tripMs = receivedMs - sentMs;
      offset.observe(sentMs, receivedMs, reply.value.nowMs);
      if (state === 'failing') log.info('herald-reachable', { herald: origin, failures });
      if (state !== 'closed') state = 'up';
      failures = 0;
      heraldId = reply.value.heraldId;
      noticeRefusal(reply.value.accepted, text);
      parts.onReply(reply.value);
    } catch (error) {
      failed((error as Error).message, errorFields(error));
    }
  };

  /** A report that was read but not taken (an old boot, a full table) is an operator's business, said once. */
  const noticeRefusal = (accepted: number, answer: string): void => {
    const refused = accepted === 0;
    if (refused && !refusing) log.warn('report-refused', { herald: origin, answer: answer.slice(0, 300) });
    refusing = refused;
  };

  const run = async (first: ReportKind): Promise<void> => {
    let next: ReportKind | undefined = first;
    while (next !== undefined) {
      await post(next);
      next = state === 'up' ? waiting : undefined;
      waiting = undefined;
    }
    underWay = undefined;
  };

  return {
    push(kind, urgent = false) {
      if (state === 'closed') return;
      if (underWay) {
        // A full report says all that counters say.
        if (waiting !== 'full') waiting = kind;
        return;
      }
      if (state === 'failing' && !urgent && clock.nowMs() < notBeforeMs) return;
      // The first report after a failure tells everything.
      underWay = run(state === 'up' ? kind : 'full');
    },
    async idle() {
      while (underWay) await underWay;
    },
    async goodbye() {
      if (state === 'up') {
        try {
          await exchange('DELETE', parts.gatewayPath, '');
        } catch (error) {
          log.debug('goodbye-unheard', { herald: origin, ...errorFields(error) });
        }
      }
      state = 'closed';
      await client.destroy();
    },
    drop() {
      state = 'closed';
      client.destroy().catch((error: unknown) => log.debug('link-close', errorFields(error)));
    },
    snapshot: () => ({
      url: origin,
      heraldId,
      state,
      failures,
      lastError: state === 'failing' ? lastError : '',
      ticketClockOffsetMs: offset.offsetMs(),
      tripMs,
    }),
  };
}
