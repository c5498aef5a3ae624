// The HTTP edge of the checks: one GET with a deadline, its JSON whatever the status.

import { Agent, request } from 'undici';
import { codeOf, failureOf } from '../daemon/thrown.ts';

export interface Answer {
  status: number;
  body: unknown;
  tookMs: number;
}

export type Asked = { ok: true; answer: Answer } | { ok: false; why: string };

/** Far more than the table of the largest fleet; without a limit what answers could fill the memory until the deadline. */
export const MAX_ANSWER_MB = 64;
export const boundedAnswers = new Agent({ maxResponseSize: MAX_ANSWER_MB * 1024 * 1024 });

/** Never rejects: a Herald that is not there is what a check is for. */
export async function ask(base: string, path: string, token: string, timeoutMs: number): Promise<Asked> {
  const url = `${base}${path}`;
  if (!URL.canParse(url)) return { ok: false, why: `${base} is not a URL` };
  const startMs = performance.now();
  try {
    const reply = await request(url, {
      headers: { ...(token !== '' && { authorization: `Bearer ${token}` }) },
      // A fresh connection, as a client would need one, and nothing left open when the check ends.
      reset: true,
      signal: AbortSignal.timeout(timeoutMs),
      dispatcher: boundedAnswers,
    });
    const text = await reply.body.text();
    return {
      ok: true,
      answer: { status: reply.statusCode, body: parsed(text), tookMs: performance.now() - startMs },
    };
  } catch (error) {
    return { ok: false, why: `${base}: ${whyOf(error, timeoutMs)}` };
  }
}

function whyOf(error: unknown, timeoutMs: number): string {
  if (error instanceof Error && error.name === 'TimeoutError') return `no answer within ${timeoutMs} ms`;
  return codeOf(error) === 'UND_ERR_RES_EXCEEDED_MAX_SIZE'
    ? `answers more than ${MAX_ANSWER_MB} MB`
    : failureOf(error);
}

/** What is left of `timeoutMs`, in whole ms and at least one. */
export type Countdown = () => number;

export function countdown(timeoutMs: number): Countdown {
  const endMs = performance.now() + timeoutMs;
  return () => Math.max(1, Math.ceil(endMs - performance.now()));
}

/** Asks each in turn until one answers, in the time that is left; of a silence of all, why each did not. `bases` is not empty. */
export async function askFirst(bases: readonly string[], path: string, leftMs: Countdown): Promise<Asked> {
  const silent: string[] = [];
  for (const [i, base] of bases.entries()) {
    // Those that come after one that hangs get their share.
    const asked = await ask(base, path, '', Math.ceil(leftMs() / (bases.length - i)));
    if (asked.ok) return asked;
    silent.push(asked.why);
  }
  return { ok: false, why: silent.join(', ') };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
