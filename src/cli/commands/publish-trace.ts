// What became of a publication traced by `herald publish --trace`: every gateway of the load table is asked for its
// trace, and each answer is a line with the time of each stretch.

import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import { boundedAnswers } from '../../checks/ask-herald.ts';
import type { TraceRecord } from '../../gateway/core/trace-book.ts';
import { TRACE_STRETCHES } from '../../gateway/core/trace-book.ts';
import type { Target } from '../admin-api.ts';
import { askSuccess, whyOf } from '../admin-api.ts';

/** What `GET /v1/traces` of a gateway answers, as far as it is printed. */
type Trace = Pick<TraceRecord, 'subscribers' | 'spentMs' | 'totalMs'>;

export interface GatewayTrace {
  gateway: string;
  /** Undefined: nobody there is subscribed, or it did not answer; then `trouble` says why. */
  trace?: Trace;
  trouble?: string;
}

const POLL_MS = 50;
/** A flush waits at most 10 s, and nearly always 100 ms. */
const WAIT_MS = 2_000;
/** After the first gateway had it: the others are about to. */
const MORE_MS = 300;
const ASK_MS = 1_000;

/** Asks until the gateways that have the trace had time to tell. */
export async function collectTraces(admin: Target, id: string): Promise<GatewayTrace[]> {
  const { gateways } = await askSuccess<{ gateways: { gateway: string; url: string }[] }>(
    admin,
    '/v1/table',
    'gateways',
  );
  let untilMs = performance.now() + WAIT_MS;
  for (;;) {
    const found = await Promise.all(gateways.map(({ gateway, url }) => askGateway(gateway, url, admin, id)));
    if (found.some(({ trace }) => trace)) untilMs = Math.min(untilMs, performance.now() + MORE_MS);
    if (performance.now() >= untilMs || found.every(({ trace, trouble }) => trace ?? trouble)) return found;
    await sleep(POLL_MS);
  }
}

async function askGateway(
  gateway: string,
  url: string,
  { token }: Target,
  id: string,
): Promise<GatewayTrace> {
  const { origin } = new URL(url.replace(/^ws/, 'http'));
  try {
    const reply = await request(`${origin}/v1/traces?id=${encodeURIComponent(id)}`, {
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(ASK_MS),
      dispatcher: boundedAnswers,
    });
    const body = (await reply.body.json()) as { traces?: Trace[]; detail?: string };
    if (reply.statusCode !== 200)
      return { gateway, trouble: `${reply.statusCode} ${body.detail ?? ''}`.trim() };
    const [trace] = body.traces ?? [];
    return { gateway, ...(trace && { trace }) };
  } catch (error) {
    return { gateway, trouble: whyOf(error) };
  }
}

/** One line a gateway, the times in ms. */
export function renderTraces(found: readonly GatewayTrace[]): string {
  const traced = found.flatMap(({ gateway, trace }) => (trace ? [{ gateway, trace }] : []));
  const lines = [
    ['gateway', ...TRACE_STRETCHES.map((stretch) => stretch.replace('-', ' ')), 'total ms', 'subscribers'],
    ...traced.map(({ gateway, trace }) => [
      gateway,
      ...[...TRACE_STRETCHES.map((stretch) => trace.spentMs[stretch]), trace.totalMs].map(
        (ms) => ms?.toFixed(2) ?? '-',
      ),
      String(trace.subscribers),
    ]),
  ];
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((cells) => cells[column]!.length)));
  const table = lines.map((cells) =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
      .join('  '),
  );
  const troubles = found.flatMap(({ gateway, trouble }) => (trouble ? [`${gateway}: ${trouble}`] : []));
  if (traced.length > 0) return [...table, ...troubles].join('\n');
  return ['no gateway has delivered it: nobody is subscribed to the topic there', ...troubles].join('\n');
}
