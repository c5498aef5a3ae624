// `herald-ready` and `brokers`: verdicts on whether a Herald may be asked, and on the brokers it knows.

import { fieldsOf } from '../../protocol/decode.ts';
import { counted } from './counted.ts';
import type { Limits, Verdict } from './verdict.ts';
import { severityOf } from './verdict.ts';

/** Another port of a Herald, or something else: the check asks the wrong one. A proxy that reaches no Herald says 5xx. */
export function isNoPublicPort(status: number): boolean {
  return status === 200 || status === 404;
}
export const NO_PUBLIC_PORT = 'what answers is not the public port of a Herald';

/** `status` is the HTTP status of `/readyz`, `body` its JSON. */
export function judgeReady(status: number, body: unknown): Verdict {
  const fields = fieldsOf(body);
  const degraded = Array.isArray(fields['degraded']) ? fields['degraded'].map(String) : [];
  const figures = [{ label: 'degraded', value: degraded.length, min: 0 }];
  const isHeralds = fields['status'] === (degraded.length > 0 ? 'degraded' : 'ready');
  if (status === 200 && isHeralds) {
    return degraded.length === 0
      ? { severity: 'ok', text: 'ready', figures }
      : { severity: 'warning', text: `ready but degraded: ${degraded.join('; ')}`, figures };
  }
  if (isNoPublicPort(status)) return { severity: 'unknown', text: NO_PUBLIC_PORT, figures: [] };
  const reason = typeof fields['reason'] === 'string' ? fields['reason'] : 'no reason given';
  return { severity: 'critical', text: `not ready (${status}): ${reason}`, figures };
}

/** Several Heralds, by what was said of each: one that is not well is a warning as long as another is. */
export function judgeReplicas(urls: readonly string[], verdicts: readonly Verdict[]): Verdict {
  const [only] = verdicts;
  if (verdicts.length === 1) return only!;
  const isServing = ({ severity }: Verdict): boolean => severity === 'ok' || severity === 'warning';
  const serving = verdicts.filter(isServing).length;
  const ill = verdicts.flatMap((one, i) => (one.severity === 'ok' ? [] : [`${urls[i]}: ${one.text}`]));
  return {
    severity: serving === 0 ? 'critical' : ill.length > 0 ? 'warning' : 'ok',
    text: [`${serving} of ${verdicts.length} ready`, ...ill].join('; '),
    figures: [{ label: 'ready', value: serving, min: 0, max: verdicts.length }],
  };
}

/** Brokers announce themselves each second, give or take a tenth: two in a row did not come. */
const SILENT_MS = 2_500;

/** `body` is the answer of `GET /v1/brokers`. One that has fallen silent stays in it for some seconds, and is not up. */
export function judgeBrokers(body: unknown, limits: Limits): Verdict {
  const list = fieldsOf(body)['brokers'];
  if (!Array.isArray(list))
    return { severity: 'unknown', text: 'the answer holds no list of brokers', figures: [] };
  const brokers = list.map(fieldsOf).map(({ id, state, silentMs }) => {
    const isSilent = typeof silentMs === 'number' && silentMs >= SILENT_MS;
    return { id, state: isSilent ? `silent for ${(silentMs / 1_000).toFixed(1)} s` : state };
  });
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
