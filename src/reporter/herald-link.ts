// (1) What becomes of the reports to one Herald. Posts never overlap; while one is under way the next waits as a
// kind, not as a queue, and is written fresh when its turn comes.

import type { Clock } from '../daemon/clock.ts';
import type { Log } from '../daemon/log.ts';
import { errorFields } from '../daemon/log.ts';
import { messageOf } from '../daemon/thrown.ts';
import { refusalText } from '../protocol/decode.ts';
import type { FeedbackReply } from '../protocol/load-report.ts';
import { readRetryAfterMs, retryDelayMs } from '../protocol/retry.ts';
import { createClockOffset } from './clock-offset.ts';
import { decodeFeedbackReply } from './core/feedback-reply.ts';
import { openHeraldConnection } from './herald-connection-undici.ts';
import type { ReportKind } from './core/report-pace.ts';

const MAX_RETRY_AFTER_MS = 10_000;
const NO_CONTROL_PORT = 'reports go to the control port of a Herald, 7401 by default';
/** Short: while a Herald does not hear us it learns of our death late and from others, so it should hear us again soon. */
const BACKOFF = { minMs: 100, maxMs: 2_000 };

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

export interface LinkParts {
  /** Of that Herald: what the paths of the API follow. */
  base: string;
  gateway: string;
  /** The body of a report of this kind, as of now. */
  write: (kind: ReportKind) => string;
  /** Cluster secrets to sign with, the likeliest to be right first. */
  secrets: readonly string[];
  onReply: (reply: FeedbackReply) => void;
  /** A report was not acknowledged. */
  onFailure: () => void;
  log: Log;
  clock: Clock;
  random: () => number;
}

export function openHeraldLink(parts: LinkParts): HeraldLink {
  const { base, clock, log } = parts;
  const connection = openHeraldConnection(base, parts.gateway, parts.secrets);
  const offset = createClockOffset();
  let state: LinkState = 'new';
  let heraldId = '';
  let failures = 0;
  let lastError = '';
  let tripMs: number | undefined;
  let refusing = false;
  let notBeforeMs = -Infinity;
  let underWay: Promise<void> | undefined;
  let waiting: ReportKind | undefined;

  const failed = (why: string, fields: Record<string, unknown>, retryAfterMs = 0): void => {
    if (state === 'closed') return;
    if (state !== 'failing' || why !== lastError) log.warn('herald-unreachable', { herald: base, ...fields });
    state = 'failing';
    lastError = why;
    const waitMs = Math.max(retryAfterMs, retryDelayMs(failures, BACKOFF, parts.random()));
    notBeforeMs = clock.nowMs() + Math.min(MAX_RETRY_AFTER_MS, waitMs);
    failures += 1;
    parts.onFailure();
  };

  const post = async (kind: ReportKind): Promise<void> => {
    const sentMs = clock.nowMs();
    try {
      const { status, headers, text } = await connection.report(parts.write(kind));
      if (status !== 200) {
        const retryAfterMs = readRetryAfterMs(headers, clock.epochMs()) ?? 0;
        const answer = text.slice(0, 300);
        failed(
          `status ${status}`,
          { status, answer, ...(status === 404 && { hint: NO_CONTROL_PORT }) },
          retryAfterMs,
        );
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
      if (state === 'failing') log.info('herald-reachable', { herald: base, failures });
      if (state !== 'closed') state = 'up';
      failures = 0;
      heraldId = reply.value.heraldId;
      noticeRefusal(reply.value.accepted, text);
      parts.onReply(reply.value);
    } catch (error) {
      failed(messageOf(error), errorFields(error));
    }
  };

  /** A report that was read but not taken (an old boot, a full table) is an operator's business, said once. */
  const noticeRefusal = (accepted: number, answer: string): void => {
    const refused = accepted === 0;
    if (refused && !refusing) log.warn('report-refused', { herald: base, answer: answer.slice(0, 300) });
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
          await connection.goodbye();
        } catch (error) {
          log.debug('goodbye-unheard', { herald: base, ...errorFields(error) });
        }
      }
      state = 'closed';
      await connection.destroy();
    },
    drop() {
      state = 'closed';
      connection.destroy().catch((error: unknown) => log.debug('link-close', errorFields(error)));
    },
    snapshot: () => ({
      url: base,
      heraldId,
      state,
      failures,
      lastError: state === 'failing' ? lastError : '',
      ticketClockOffsetMs: offset.offsetMs(),
      tripMs,
    }),
  };
}
