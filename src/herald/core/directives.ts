// (2) What the answer to a report tells a gateway to do because an operator wants it. The order repeats with
// every answer until the gateway's own state shows that it was heard.

import type { Directive } from '../../protocol/load-report.ts';
import type { GatewayRecord } from './gateway-slots.ts';

/**
 * Fifty clients a second: at 2 ms of CPU a handshake a tenth of a core, which the other gateways share. Not longer than a
 * minute, which an operator waits for; not shorter than it takes until what a moved client costs shows in reports.
 */
const DRAIN_MS_PER_CLIENT = 20;
const DRAIN_SPREAD_MS = { least: 10_000, most: 60_000 };
/** After the spread, clients that were told to move have this long to be gone. */
const DRAIN_GRACE_MS = 30_000;
const MAINT_SPREAD_MS = 10_000;
const MAINT_DEADLINE_MS = 20_000;
/** After that, a gateway that still drains does so of its own will. */
const READY_FOR_MS = 10_000;

/**
 * `connections`: open ones as last reported; undefined where it does not count them. The id is the same at every Herald,
 * and a new one each time somebody gives the order: a gateway does each once, whoever repeats it.
 */
export function steeringDirective(
  record: GatewayRecord,
  connections: number | undefined,
  nowMs: number,
): Directive | undefined {
  const { state, reason, saidEpochMs = 0 } = record.desired;
  const orderId = `${state === 'up' ? 'ready' : state}-${saidEpochMs}-${record.bootId}`;
  if (state !== 'up' && record.announced === 'up') {
    if (state === 'maint') {
      return { drain: { orderId, reason, spreadMs: MAINT_SPREAD_MS, deadlineMs: MAINT_DEADLINE_MS } };
    }
    const spreadMs = drainSpreadMs(connections);
    return { drain: { orderId, reason, spreadMs, deadlineMs: spreadMs + DRAIN_GRACE_MS } };
  }
  if (state === 'up' && record.announced === 'draining' && nowMs - record.readyOrderedAtMs <= READY_FOR_MS) {
    return { ready: { orderId } };
  }
  return undefined;
}

function drainSpreadMs(connections = Infinity): number {
  const { least, most } = DRAIN_SPREAD_MS;
  return Math.min(most, Math.max(least, connections * DRAIN_MS_PER_CLIENT));
}
