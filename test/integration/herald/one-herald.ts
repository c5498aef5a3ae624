// One Herald in this process on free ports, and what tests say to it.

import type { Clock } from '../../../src/daemon/clock.ts';
import { createAwakeClock, systemClock } from '../../../src/daemon/clock.ts';
import { silentLog } from '../../../src/daemon/log.ts';
import type { Metrics } from '../../../src/daemon/metrics.ts';
import { createMetrics } from '../../../src/daemon/metrics.ts';
import { loadConfig } from '../../../src/daemon/config.ts';
import type { GatewaySnapshot } from '../../../src/herald/core/balancer-types.ts';
import type { HeraldConfig } from '../../../src/herald/config/herald-options.ts';
import { heraldOptions } from '../../../src/herald/config/herald-options.ts';
import type { HeraldHandle } from '../../../src/herald/start-herald.ts';
import { startHerald } from '../../../src/herald/start-herald.ts';

export interface OneHerald extends HeraldHandle {
  metrics: Metrics;
}

const ANY_PORT = '127.0.0.1:0';

/** Herald reads its clock ten times a second: more than this between two reads is a stall of the whole process. */
const LONGEST_STEP_MS = 200;

/**
 * It stops without waiting for a HAProxy to hear of it, unless the test says so. To its clock a stall of the machine
 * is no time, so that no gateway falls silent by one.
 */
export async function oneHerald(
  options: Partial<HeraldConfig> = {},
  clock: Clock = { ...systemClock, nowMs: createAwakeClock(LONGEST_STEP_MS) },
): Promise<OneHerald> {
  const metrics = createMetrics();
  const config = loadConfig(heraldOptions, {
    flags: {
      id: 'herald-1',
      publicListen: ANY_PORT,
      controlListen: ANY_PORT,
      agentListen: ANY_PORT,
      adminListen: ANY_PORT,
      agentFarewellMs: 0,
      ...options,
    },
  });
  const handle = await startHerald(config, { log: silentLog, metrics, clock });
  return { ...handle, metrics };
}

export function report(gateway: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { v: 1, gateway, url: `ws://127.0.0.1:7410/${gateway}`, bootId: 'b1', seq: 1, cpu: 0.1, ...more };
}

/** The fields that tests read of any answer; absent ones are undefined, which an expectation then shows. */
export interface AnyBody {
  lookupId: string;
  gateway: string;
  ticket: string;
  expiresAt: string;
  alternates: { gateway: string }[];
  code: string;
  field: string;
  detail: string;
  expected: string;
  status: number;
  accepted: number;
  nowMs: number;
  brokers: unknown[];
  directive: unknown;
  gateways: GatewaySnapshot[];
  effectiveState: string;
  reportedScore: number;
  actions: { action: string; author: string }[];
}

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** Parsed where the answer is JSON, else empty. */
  body: AnyBody;
}

/** Sends a body as JSON text; a string is sent as it is. */
export async function send(
  url: string,
  body: unknown,
  headers: Record<string, string> = {},
  method = 'POST',
): Promise<Answer> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return answerOf(
    await fetch(url, { method, body: text, headers: { 'content-type': 'application/json', ...headers } }),
  );
}

export async function ask(url: string, headers: Record<string, string> = {}): Promise<Answer> {
  return answerOf(await fetch(url, { headers, redirect: 'manual' }));
}

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  const body = (isJson ? JSON.parse(text) : {}) as AnyBody;
  return { status: response.status, headers: response.headers, text, body };
}

/** Reports `gateways` once each. */
export async function feed(herald: OneHerald, ...reports: Record<string, unknown>[]): Promise<Answer> {
  return send(`${herald.addresses.control}/v1/feedback`, reports);
}

/** As the table says; `absent` where it has no such gateway. */
export async function stateOf(herald: OneHerald, gateway: string): Promise<string> {
  const { body } = await ask(`${herald.addresses.admin}/v1/table`);
  return body.gateways.find((one) => one.gateway === gateway)?.effectiveState ?? 'absent';
}
