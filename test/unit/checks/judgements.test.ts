import { describe, expect, it } from 'vitest';
import { judgeBrokers, judgeReady } from '../../../src/checks/core/readiness.ts';
import type { CheckedTable } from '../../../src/checks/core/table.ts';
import { decodeTable, judgeGatewayLoad, judgeTableAge } from '../../../src/checks/core/table.ts';
import type { Limits } from '../../../src/checks/core/verdict.ts';
import { judgeCanary, judgeLookup } from '../../../src/checks/core/way.ts';

const row = (gateway: string, expectedScore: number, state = 'up', pool = 'default') => ({
  gateway,
  pool,
  state,
  expectedScore,
  connections: 10,
});
const table = (rows: CheckedTable['rows'], more: Partial<CheckedTable> = {}): CheckedTable => ({
  ageMs: 300,
  frozen: false,
  rows,
  ...more,
});

describe('the age of the table', () => {
  const limits: Limits = { warn: 1_000, crit: 2_000, worse: 'high' };

  it.each([
    [300, 'ok'],
    [1_000, 'warning'],
    [2_000, 'critical'],
  ] as const)('of %i ms is %s', (ageMs, severity) => {
    expect(judgeTableAge(table([row('a', 0.5)], { ageMs }), limits).severity).toBe(severity);
  });

  it('is critical while frozen, however young', () => {
    const verdict = judgeTableAge(table([row('a', 0.5)], { frozen: true, ageMs: 1 }), limits);
    expect(verdict).toMatchObject({ severity: 'critical', text: expect.stringContaining('frozen') });
  });

  it('of an empty table is critical: age 0 would look healthy', () => {
    expect(judgeTableAge(table([], { ageMs: 0 }), limits).severity).toBe('critical');
  });
});

describe('the load of the gateways', () => {
  const limits: Limits = { warn: 0.8, crit: 0.95, worse: 'high' };
  const all = { gateway: '', pool: '' };

  it.each([
    [0.5, 'ok'],
    [0.85, 'warning'],
    [1.7, 'critical'],
  ] as const)('with the hottest at %f is %s', (hottest, severity) => {
    const verdict = judgeGatewayLoad(table([row('a', 0.2), row('b', hottest), row('c', 0.3)]), all, limits);
    expect(verdict.severity).toBe(severity);
    expect(verdict.text).toContain('hottest is b');
  });

  it('does not count a gateway that is drained on purpose', () => {
    const verdict = judgeGatewayLoad(table([row('a', 0.2), row('b', 2, 'drain')]), all, limits);
    expect(verdict).toMatchObject({ severity: 'ok', text: expect.stringContaining('of 1') });
  });

  it('judges the one that was named in whatever state it is', () => {
    const drained = table([row('a', 0.2), row('b', 2, 'drain')]);
    expect(judgeGatewayLoad(drained, { gateway: 'b', pool: '' }, limits).severity).toBe('critical');
  });

  it('keeps to its pool', () => {
    const two = table([row('a', 0.2), row('b', 2, 'up', 'video')]);
    expect(judgeGatewayLoad(two, { gateway: '', pool: 'default' }, limits).severity).toBe('ok');
    expect(judgeGatewayLoad(two, { gateway: '', pool: 'video' }, limits).severity).toBe('critical');
  });

  it('is critical when nobody takes connections, and says in which states they are', () => {
    const verdict = judgeGatewayLoad(table([row('a', 0.2, 'stale'), row('b', 0.1, 'drain')]), all, limits);
    expect(verdict).toMatchObject({ severity: 'critical', text: expect.stringContaining('(drain, stale)') });
  });

  it('is critical for a gateway that is not in the table', () => {
    const verdict = judgeGatewayLoad(table([row('a', 0.2)]), { gateway: 'x', pool: '' }, limits);
    expect(verdict).toMatchObject({ severity: 'critical', text: 'the table has no gateway x' });
  });
});

describe('a table as received', () => {
  it('is read', () => {
    const view = {
      ageMs: 12,
      frozen: false,
      gateways: [
        { gateway: 'a', pool: 'p', effectiveState: 'up', expectedScore: 0.5, connections: 3, url: 'ignored' },
      ],
    };
    expect(decodeTable(view)).toEqual({
      ok: true,
      value: table([{ gateway: 'a', pool: 'p', state: 'up', expectedScore: 0.5, connections: 3 }], {
        ageMs: 12,
      }),
    });
  });

  it.each([
    undefined,
    null,
    [],
    'text',
    {},
    { ageMs: 1 },
    { ageMs: '1', gateways: [] },
    { ageMs: 1, gateways: [3] },
  ])('as %j is refused, not taken for healthy', (value) => {
    expect(decodeTable(value).ok).toBe(false);
  });
});

describe('readiness', () => {
  it.each([
    [200, { status: 'ready', degraded: [] }, 'ok', 'ready'],
    [200, { status: 'degraded', degraded: ['store: away'] }, 'warning', 'ready but degraded: store: away'],
    [
      503,
      { reason: 'no gateway has reported yet' },
      'critical',
      'not ready (503): no gateway has reported yet',
    ],
    [500, undefined, 'critical', 'not ready (500): no reason given'],
    [200, undefined, 'unknown', 'what answers is not the public port of a Herald'],
    [200, { ready: true, gateway: 'gw-1' }, 'unknown', 'what answers is not the public port of a Herald'],
    [404, { code: 'no-such-route' }, 'unknown', 'what answers is not the public port of a Herald'],
  ] as const)('answered %i %j is %s', (status, body, severity, text) => {
    expect(judgeReady(status, body)).toMatchObject({ severity, text });
  });
});

describe('the brokers', () => {
  const limits: Limits = { warn: 1, crit: 0, worse: 'low' };
  const brokers = (...states: string[]) => ({
    brokers: states.map((state, index) => ({ id: `b${index}`, state })),
  });

  it.each([
    [brokers('up', 'up'), 'ok', '2 brokers up'],
    [brokers('up', 'draining'), 'warning', '1 broker up; b1 draining'],
    [brokers('draining'), 'critical', '0 brokers up; b0 draining'],
    [brokers(), 'critical', '0 brokers up'],
    [{ brokers: [{ id: 'b0', state: 'up', silentMs: 2_300 }] }, 'warning', '1 broker up'],
    [
      { brokers: [{ id: 'b0', state: 'up', silentMs: 2_600 }] },
      'critical',
      '0 brokers up; b0 silent for 2.6 s',
    ],
    [{ brokers: [null] }, 'critical', '0 brokers up; undefined undefined'],
    [{}, 'unknown', 'the answer holds no list of brokers'],
    [undefined, 'unknown', 'the answer holds no list of brokers'],
  ] as const)('%j are %s', (body, severity, text) => {
    expect(judgeBrokers(body, limits)).toMatchObject({ severity, text });
  });
});

describe('a lookup', () => {
  const limits: Limits = { warn: 100, crit: 1_000, worse: 'high' };

  it.each([
    [3, 'ok'],
    [150, 'warning'],
    [2_000, 'critical'],
  ] as const)('that took %i ms is %s', (lookupMs, severity) => {
    const probe = { step: 'connected', gateway: 'g', lookupMs, connectMs: 1 } as const;
    expect(judgeLookup(probe, limits).severity).toBe(severity);
  });

  it('that names a dead gateway is critical, however fast', () => {
    const probe = {
      step: 'named',
      gateway: 'g',
      url: 'ws://h/ws',
      lookupMs: 1,
      why: 'ECONNREFUSED',
    } as const;
    expect(judgeLookup(probe, limits)).toMatchObject({
      severity: 'critical',
      text: 'named g at ws://h/ws, which takes no connection: ECONNREFUSED',
    });
  });

  it('that is refused is critical and says why', () => {
    const probe = {
      step: 'refused',
      status: 503,
      code: 'overloaded',
      detail: 'all full',
      lookupMs: 1,
    } as const;
    expect(judgeLookup(probe, limits)).toMatchObject({
      severity: 'critical',
      text: 'refused (503 overloaded): all full',
    });
  });
});

describe('a canary', () => {
  const limits: Limits = { warn: 500, crit: 2_000, worse: 'high' };
  const heard = (afterMs: number) => ({ gateway: 'a', heard: true, afterMs }) as const;

  it.each([
    [[heard(3), heard(20)], 'ok'],
    [[heard(3), heard(600)], 'warning'],
    [[heard(2_500)], 'critical'],
    [[], 'critical'],
  ] as const)('heard as %j is %s', (hearings, severity) => {
    expect(judgeCanary(hearings, limits).severity).toBe(severity);
  });

  it('that one gateway did not hear is critical and names it', () => {
    const verdict = judgeCanary([heard(3), { gateway: 'b', heard: false, why: 'closed with 1006' }], limits);
    expect(verdict).toMatchObject({ severity: 'critical', text: 'not heard at b: closed with 1006' });
    expect(verdict.figures.find(({ label }) => label === 'heard')).toMatchObject({ value: 1, max: 2 });
  });

  it('that nobody heard has no slowest: 0 ms would draw the best moment of a chart', () => {
    const { figures } = judgeCanary([{ gateway: 'b', heard: false, why: 'closed with 1006' }], limits);
    expect(figures.map(({ label }) => label)).toEqual(['heard']);
  });
});
