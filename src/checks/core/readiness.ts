// `herald-ready` and `brokers`: verdicts on whether a Herald may be asked, and on the brokers it knows.

import type { Limits, Verdict } from './verdict.ts';
import { counted, severityOf } from './verdict.ts';

/** `status` is the HTTP status of `/readyz`, `body` its JSON. */
export function judgeReady(status: number, body: unknown): Verdict {
  const fields = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  const degraded = Array.isArray(fields['degraded']) ? fields['degraded'].map(String) : [];
  const figures = [{ label: 'degraded', value: degraded.length, min: 0 }];
  // Whatever else listens there may well answer 200, a gateway with words of its own.
  if (status === 200 && fields['status'] !== (degraded.length > 0 ? 'degraded' : 'ready')) {
    return { severity: 'unknown', text: 'what answers is not a Herald', figures: [] };
  }
  if (status === 200 && degraded.length === 0) return { severity: 'ok', text: 'ready', figures };
  if (status === 200)
    return { severity: 'warning', text: `ready but degraded: ${degraded.join('; ')}`, figures };
  const reason = typeof fields['reason'] === 'string' ? fields['reason'] : 'no reason given';
  return { severity: 'critical', text: `not ready (${status}): ${reason}`, figures };
}

/** `body` is the answer of `GET /v1/brokers`. */
export function judgeBrokers(body: unknown, limits: Limits): Verdict {
  const list = (body as { brokers?: unknown } | null)?.brokers;
  if (!Array.isArray(list))
    return { severity: 'unknown', text: 'the answer holds no list of brokers', figures: [] };
  const brokers = list as { id?: unknown; state?: unknown }[];
  const up = brokers.filter(({ state }) => state === 'up').length;
  const others = brokers
    .filter(({ state }) => state !== 'up')
    .map(({ id, state }) => `${String(id)} ${String(state)}`);
  return {
    severity: severityOf(up, limits),
    text: `${counted(up, 'broker')} up${others.length > 0 ? `; ${others.join(', ')}` : ''}`,
    figures: [{ label: 'up', value: up, limits, min: 0 }],
  };
}
