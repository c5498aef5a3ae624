// The HTTP edge of the checks: one GET with a deadline, its JSON whatever the status.

import { request } from 'undici';
import { codeOf, messageOf } from '../daemon/thrown.ts';

export interface Answer {
  status: number;
  body: unknown;
  tookMs: number;
}

export type Asked = { ok: true; answer: Answer } | { ok: false; why: string };

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
    });
    const text = await reply.body.text();
    return {
      ok: true,
      answer: { status: reply.statusCode, body: parsed(text), tookMs: performance.now() - startMs },
    };
  } catch (error) {
    const isLate = error instanceof Error && error.name === 'TimeoutError';
    const why = isLate ? `no answer within ${timeoutMs} ms` : (codeOf(error) ?? messageOf(error));
    return { ok: false, why: `${base}: ${why}` };
  }
}

/** Asks each in turn until one answers; of a silence of all, why each did not. `bases` is not empty. */
export async function askFirst(bases: readonly string[], path: string, timeoutMs: number): Promise<Asked> {
  const silent: string[] = [];
  for (const base of bases) {
    const asked = await ask(base, path, '', timeoutMs);
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
