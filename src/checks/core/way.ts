// `lookup` and `canary`: verdicts on the way a client and a message go.

import { counted } from './counted.ts';
import type { Limits, Verdict } from './verdict.ts';
import { isNoPublicPort, NO_PUBLIC_PORT } from './readiness.ts';
import { severityOf } from './verdict.ts';

export type LookupProbe =
  | { step: 'connected'; gateway: string; lookupMs: number; connectMs: number }
  /** Herald named a gateway that does not take a connection. */
  | { step: 'named'; gateway: string; url: string; lookupMs: number; why: string }
  /** Something answered, but not with a gateway. */
  | { step: 'refused'; status: number; code: string; detail: string; lookupMs: number };

/** Would a client get a gateway now, and one that lives? `limits` are on the lookup, in ms. */
export function judgeLookup(probe: LookupProbe, limits: Limits): Verdict {
  const lookup = { label: 'lookup', value: probe.lookupMs, unit: 'ms' as const, limits, min: 0 };
  switch (probe.step) {
    case 'refused':
      if (isNoPublicPort(probe.status)) return { severity: 'unknown', text: NO_PUBLIC_PORT, figures: [] };
      return {
        severity: 'critical',
        text: `refused (${probe.status} ${probe.code}): ${probe.detail}`,
        figures: [lookup],
      };
    case 'named':
      return {
        severity: 'critical',
        text: `named ${probe.gateway} at ${probe.url}, which takes no connection: ${probe.why}`,
        figures: [lookup],
      };
    case 'connected':
      return {
        severity: severityOf(probe.lookupMs, limits),
        text: `${probe.gateway} in ${Math.round(probe.lookupMs)} ms, it takes connections`,
        figures: [lookup, { label: 'connect', value: probe.connectMs, unit: 'ms', min: 0 }],
      };
  }
}

/** What one gateway gave a subscriber of the canary topic. */
export type Hearing =
  { gateway: string; heard: true; afterMs: number } | { gateway: string; heard: false; why: string };

/** Does a message published now reach subscribers at every gateway that was asked? */
export function judgeCanary(hearings: readonly Hearing[], limits: Limits): Verdict {
  if (hearings.length === 0) return { severity: 'critical', text: 'no gateway to listen at', figures: [] };
  const deaf = hearings.flatMap((one) => (one.heard ? [] : [`${one.gateway}: ${one.why}`]));
  const times = hearings.flatMap((one) => (one.heard ? [one.afterMs] : []));
  const slowest = Math.max(0, ...times);
  const figures = [
    ...(times.length > 0 ? [{ label: 'slowest', value: slowest, unit: 'ms' as const, limits, min: 0 }] : []),
    { label: 'heard', value: times.length, min: 0, max: hearings.length },
  ];
  if (deaf.length > 0) return { severity: 'critical', text: `not heard at ${deaf.join(', ')}`, figures };
  return {
    severity: severityOf(slowest, limits),
    text: `heard at ${counted(times.length, 'gateway')}, the slowest after ${Math.round(slowest)} ms`,
    figures,
  };
}
