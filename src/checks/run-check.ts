// `herald check <name>`: asks, then lets the core judge. One line and an exit code, whatever happens; a check
// that cannot be made is `unknown`, unless what it asks is itself what it checks.

import { nearest } from '../protocol/nearest.ts';
import { messageOf } from '../daemon/thrown.ts';
import { refusalText } from '../protocol/decode.ts';
import type { BrokerReach } from '../publisher/broker-reach.ts';
import type { Answer, Asked } from './ask-herald.ts';
import { ask, askFirst, countdown } from './ask-herald.ts';
import { judgeBrokers, judgeReady, judgeReplicas } from './core/readiness.ts';
import { decodeTable, judgeGatewayLoad, judgeTableAge } from './core/table.ts';
import type { CheckedTable } from './core/table.ts';
import type { CheckResult, Limits, Severity, Verdict } from './core/verdict.ts';
import { checkResult } from './core/verdict.ts';
import { checkCanary, checkLookup } from './way-checks.ts';

export type { CheckResult } from './core/verdict.ts';

export interface CheckOptions {
  /** Public URLs, asked as clients do; the default ports on this machine when absent. */
  publicUrls?: readonly string[];
  /** Of one Herald. */
  adminUrl?: string;
  /** Control URLs; the first that answers is asked. */
  controlUrls?: readonly string[];
  /** canary: brokers to publish through instead of those a Herald names, and keys for those that encrypt. */
  brokerReach?: BrokerReach;
  /** Bearer token of the admin port; empty = none. */
  token?: string;
  /** Limits; each check has its own default and unit (see CHECKS). */
  warn?: number;
  crit?: number;
  /** gateway-load: one gateway, by id. */
  gateway?: string;
  /** gateway-load, lookup, canary: one pool. */
  pool?: string;
  timeoutMs?: number;
}

interface Check {
  help: string;
  limits?: Limits;
  run(options: Required<CheckOptions>, limits: Limits): Promise<Verdict>;
}

const NO_LIMITS: Limits = { warn: Infinity, crit: Infinity, worse: 'high' };
const DEFAULT_TIMEOUT_MS = 5_000;

export const CHECKS: Readonly<Record<string, Check>> = {
  'herald-ready': {
    help: 'Herald may be asked, and nothing is degraded',
    run: checkReady,
  },
  'table-age': {
    help: 'age of the newest load report, in ms',
    limits: { warn: 1_000, crit: 2_000, worse: 'high' },
    run: (options, limits) => ofTable(options, (table) => judgeTableAge(table, limits)),
  },
  'gateway-load': {
    help: 'expected load of the hottest gateway, 1 = at its limit',
    limits: { warn: 0.8, crit: 0.95, worse: 'high' },
    run: (options, limits) => ofTable(options, (table) => judgeGatewayLoad(table, options, limits)),
  },
  brokers: {
    help: 'brokers that are up',
    limits: { warn: 1, crit: 0, worse: 'low' },
    run: async ({ controlUrls, timeoutMs }, limits) =>
      whenAnswered(await askFirst(controlUrls, '/v1/brokers', countdown(timeoutMs)), 'unknown', ({ body }) =>
        judgeBrokers(body, limits),
      ),
  },
  lookup: {
    help: 'a real lookup and a connection to the gateway it named; ms of the lookup',
    limits: { warn: 100, crit: 1_000, worse: 'high' },
    run: checkLookup,
  },
  canary: {
    help: 'a message by way of a broker to each gateway that a lookup names; ms',
    limits: { warn: 500, crit: 2_000, worse: 'high' },
    run: checkCanary,
  },
};

export const CHECK_NAMES: readonly string[] = Object.keys(CHECKS);

/** Never rejects. Exit codes: 0 ok, 1 warning, 2 critical, 3 unknown. */
export async function runCheck(name: string, options: CheckOptions = {}): Promise<CheckResult> {
  const check = Object.hasOwn(CHECKS, name) ? CHECKS[name] : undefined;
  if (check === undefined) {
    const close = nearest(name, CHECK_NAMES);
    const hint = close === undefined ? CHECK_NAMES.join(', ') : `did you mean ${close}?`;
    return checkResult('herald', unknown(`no check is named ${name}; ${hint}`));
  }
  const defaults = check.limits ?? NO_LIMITS;
  const limits = { ...defaults, warn: options.warn ?? defaults.warn, crit: options.crit ?? defaults.crit };
  if (limits.worse === 'high' ? limits.warn > limits.crit : limits.warn < limits.crit) {
    return checkResult(
      name,
      unknown(`the warning limit ${limits.warn} lies beyond the critical one ${limits.crit}`),
    );
  }
  try {
    return checkResult(name, await check.run(withDefaults(options), limits));
  } catch (error) {
    return checkResult(name, unknown(messageOf(error)));
  }
}

function withDefaults(options: CheckOptions): Required<CheckOptions> {
  return {
    publicUrls: options.publicUrls ?? ['http://127.0.0.1:7400'],
    controlUrls: options.controlUrls ?? ['http://127.0.0.1:7401'],
    brokerReach: options.brokerReach ?? { brokers: [] },
    adminUrl: options.adminUrl ?? 'http://127.0.0.1:7403',
    token: options.token ?? '',
    warn: options.warn ?? Infinity,
    crit: options.crit ?? Infinity,
    gateway: options.gateway ?? '',
    pool: options.pool ?? '',
    timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
  };
}

function unknown(text: string): Verdict {
  return { severity: 'unknown', text, figures: [] };
}

function whenAnswered(asked: Asked, silence: Severity, judge: (answer: Answer) => Verdict): Verdict {
  return asked.ok ? judge(asked.answer) : { severity: silence, text: asked.why, figures: [] };
}

async function checkReady({ publicUrls, timeoutMs }: Required<CheckOptions>): Promise<Verdict> {
  const verdicts = publicUrls.map(async (url) =>
    whenAnswered(await ask(url, '/readyz', '', timeoutMs), 'critical', ({ status, body }) =>
      judgeReady(status, body),
    ),
  );
  return judgeReplicas(publicUrls, await Promise.all(verdicts));
}

async function ofTable(
  options: Required<CheckOptions>,
  judge: (table: CheckedTable) => Verdict,
): Promise<Verdict> {
  const asked = await ask(options.adminUrl, '/v1/table', options.token, options.timeoutMs);
  return whenAnswered(asked, 'unknown', ({ status, body }) => {
    if (status === 401) {
      const wish = options.token === '' ? 'asks for a token' : 'does not take the token given';
      return unknown(`${options.adminUrl} ${wish}`);
    }
    if (status !== 200) return unknown(`${options.adminUrl}/v1/table answered ${status}`);
    const table = decodeTable(body);
    return table.ok ? judge(table.value) : unknown(refusalText(table.refusal));
  });
}
