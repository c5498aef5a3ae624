// The checks that go the way themselves: `lookup` as a client would, `canary` as a message would.

import { decodeBrokerList } from '../protocol/broker-address.ts';
import { fieldsOf, refusalText } from '../protocol/decode.ts';
import type { BrokerAddress } from '../protocol/broker-address.ts';
import type { LookupPick } from '../protocol/lookup.ts';
import type { BrokerReach } from '../publisher/broker-reach.ts';
import type { Countdown } from './ask-herald.ts';
import { askFirst, countdown } from './ask-herald.ts';
import { MAX_LISTENERS, sendCanary } from './canary.ts';
import type { Limits, Verdict } from './core/verdict.ts';
import type { LookupProbe } from './core/way.ts';
import { judgeCanary, judgeLookup } from './core/way.ts';
import { reach } from './reach.ts';

export interface WayOptions {
  publicUrls: readonly string[];
  controlUrls: readonly string[];
  brokerReach: BrokerReach;
  pool: string;
  timeoutMs: number;
}

export async function checkLookup(
  { publicUrls, pool, timeoutMs }: WayOptions,
  limits: Limits,
): Promise<Verdict> {
  const leftMs = countdown(timeoutMs);
  const asked = await askFirst(publicUrls, lookupPath(pool, 0), leftMs);
  if (!asked.ok) return { severity: 'critical', text: asked.why, figures: [] };
  const { status, body, tookMs } = asked.answer;
  const [pick] = picksOf(body);
  if (status !== 200 || pick === undefined) return judgeLookup(refusal(status, body, tookMs), limits);
  const { gateway, url } = pick;
  const reached = await reach(url, leftMs());
  return judgeLookup(
    reached.ok
      ? { step: 'connected', gateway, lookupMs: tookMs, connectMs: reached.tookMs }
      : { step: 'named', gateway, url, lookupMs: tookMs, why: reached.why },
    limits,
  );
}

export async function checkCanary(options: WayOptions, limits: Limits): Promise<Verdict> {
  const { publicUrls, brokerReach, pool, timeoutMs } = options;
  const leftMs = countdown(timeoutMs);
  const asked = await askFirst(publicUrls, lookupPath(pool, MAX_LISTENERS - 1), leftMs);
  if (!asked.ok) return { severity: 'unknown', text: asked.why, figures: [] };
  const { status, body, tookMs } = asked.answer;
  const picks = picksOf(body);
  if (status !== 200 || picks.length === 0) return judgeLookup(refusal(status, body, tookMs), limits);
  const brokers = await brokersFor(options, leftMs);
  if (!brokers.ok) return { severity: brokers.severity, text: brokers.why, figures: [] };
  const sent = await sendCanary(picks, { ...brokerReach, brokers: brokers.list }, leftMs());
  if (sent.ok) return judgeCanary(sent.hearings, limits);
  return { severity: sent.severity, text: `not published: ${sent.why}`, figures: [] };
}

type Brokers =
  { ok: true; list: BrokerAddress[] } | { ok: false; severity: 'critical' | 'unknown'; why: string };

/** Those given, or those that a Herald names. */
async function brokersFor({ controlUrls, brokerReach }: WayOptions, leftMs: Countdown): Promise<Brokers> {
  if (brokerReach.brokers.length > 0) return { ok: true, list: brokerReach.brokers };
  const asked = await askFirst(controlUrls, '/v1/brokers', leftMs);
  if (!asked.ok) return { ok: false, severity: 'unknown', why: asked.why };
  const list = decodeBrokerList(fieldsOf(asked.answer.body)['brokers']);
  if (!list.ok) return { ok: false, severity: 'unknown', why: refusalText(list.refusal) };
  if (list.value.length > 0) return { ok: true, list: list.value };
  return { ok: false, severity: 'critical', why: 'not published: no broker is up' };
}

function lookupPath(pool: string, alternates: number): string {
  const query = new URLSearchParams({ n: String(alternates), ...(pool !== '' && { pool }) });
  return `/v1/lookup?${query.toString()}`;
}

/** The gateway that was named and its alternates. */
function picksOf(body: unknown): LookupPick[] {
  const picks: unknown[] = [body];
  return picks
    .concat(fieldsOf(body)['alternates'] ?? [])
    .map(fieldsOf)
    .flatMap(({ gateway, url, ticket }) =>
      typeof gateway === 'string' && typeof url === 'string' && URL.canParse(url)
        ? [{ gateway, url, ticket: typeof ticket === 'string' ? ticket : '' }]
        : [],
    );
}

function refusal(status: number, body: unknown, lookupMs: number): LookupProbe {
  const { code, detail } = fieldsOf(body);
  return {
    step: 'refused',
    status,
    code: typeof code === 'string' ? code : 'no code',
    detail: typeof detail === 'string' ? detail : 'no detail',
    lookupMs,
  };
}
