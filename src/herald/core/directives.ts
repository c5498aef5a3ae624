// (2) What the answer to a report tells a gateway to do because an operator wants it. The order repeats with
// every answer until the gateway's own state shows that it was heard.

import type { Directive } from '../../protocol/load-report.ts';
import type { GatewayRecord } from './gateway-slots.ts';

const DRAIN_SPREAD_MS = 60_000;
const DRAIN_DEADLINE_MS = 90_000;
const MAINT_SPREAD_MS = 10_000;
const MAINT_DEADLINE_MS = 20_000;
/** After that, a gateway that still drains does so of its own will. */
const READY_FOR_MS = 10_000;

/**
 * The id is the same at every Herald, and a new one each time somebody gives the order: a gateway does each once,
 * whoever repeats it.
 */
export function steeringDirective(record: GatewayRecord, nowMs: number): Directive | undefined {
  const { state, reason, saidEpochMs = 0 } = record.desired;
  const orderId = `${state === 'up' ? 'ready' : state}-${saidEpochMs}-${record.bootId}`;
  if (state !== 'up' && record.announced === 'up') {
    const maint = state === 'maint';
    return {
      drain: {
        orderId,
        reason,
        spreadMs: maint ? MAINT_SPREAD_MS : DRAIN_SPREAD_MS,
        deadlineMs: maint ? MAINT_DEADLINE_MS : DRAIN_DEADLINE_MS,
      },
    };
  }
  if (state === 'up' && record.announced === 'draining' && nowMs - record.readyOrderedAtMs <= READY_FOR_MS) {
    return { ready: { orderId } };
  }
  return undefined;
}
