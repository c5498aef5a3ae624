import { afterEach, describe, expect, it, vi } from 'vitest';
import { PickRates } from '../../../src/cli/pick-rates.ts';
import { renderTable } from '../../../src/cli/text/render-table.ts';
import { clipped, hasColor, visibleLength } from '../../../src/cli/text/terminal-text.ts';
import type { GatewaySnapshot, TableSnapshot } from '../../../src/herald/core/balancer-types.ts';

function gateway(id: string, more: Partial<GatewaySnapshot> = {}): GatewaySnapshot {
  return {
    gateway: id,
    url: `ws://127.0.0.1/${id}`,
    pool: 'default',
    zone: '',
    labels: {},
    capacity: 1,
    bootId: 'b',
    seq: 1,
    state: 'up',
    periodMs: 500,
    ageMs: 123.4,
    reportedScore: 0.25,
    correctedScore: 0.25,
    costPerConnection: 0.001,
    connections: 40,
    youngConnections: 0,
    effectiveState: 'up',
    desired: { state: 'up', reason: '', author: '', untilEpochMs: 0 },
    expectedScore: 0.3,
    inFlightTickets: 0,
    breaker: 'closed',
    weightPercent: 70,
    picks: 12,
    ...more,
  } as GatewaySnapshot;
}

function table(gateways: GatewaySnapshot[], more: Partial<TableSnapshot> = {}): TableSnapshot {
  return { version: 6, ageMs: 100, frozen: false, gateways, ...more };
}

const lines = (text: string): string[] => text.split('\n');

describe('the load table as text', () => {
  it('has a line a gateway between its head and its foot', () => {
    const [head, first, foot] = lines(renderTable(table([gateway('gw-1')]), { color: false }));
    expect(head).toMatch(/^gateway +state +expected load +load +reported +conns +picks +weight +age$/);
    expect(first).toMatch(/^gw-1 +up +█{6}░{14} +30\.0 % +25\.0 % +40 +12 +70 % +123 ms$/);
    expect(foot).toBe('1 of 1 gateways up, table version 6');
  });

  it('says so when nobody is in it', () => {
    expect(renderTable(table([]), { color: false })).toBe('no gateway here has reported yet');
    expect(renderTable(table([]), { color: false, pool: 'x' })).toBe('no gateway of pool x has reported yet');
  });

  it.each([200, 100, 80, 60, 40])('fits %i columns', (width) => {
    const rows = [gateway('gw-1'), gateway('gw-2', { expectedScore: 12.7, ageMs: 123_456 })];
    const text = renderTable(table(rows), { color: true, width, picksPerSec: new Map() });
    for (const line of lines(text)) expect(visibleLength(line)).toBeLessThanOrEqual(width);
    expect(text).toContain('gw-2');
    expect(text).toMatch(/load.*\n.*30\.0 %/);
  });

  it('keeps room on 80 columns for what is remarked of a gateway', () => {
    const rows = [gateway('gateway-1'), gateway('gateway-2')];
    const remarks = new Map([['gateway-2', 'squeezed']]);
    const rendered = renderTable(table(rows), { color: false, width: 80, remarks, picksPerSec: new Map() });
    const [head, , second] = lines(rendered);
    expect(head).toMatch(/ expected load +load +reported +conns +new/);
    expect(second).toMatch(/ {2}squeezed$/);
    for (const line of lines(rendered)) expect(line.length).toBeLessThanOrEqual(80);
  });

  it.each([
    ['', / expected load +load +reported +conns +new\/s$/, 'websock…central-1-7'],
    ['being drained by ana', / load +conns +new\/s$/, 'websocke…u-central-1-7'],
  ])(
    'on 80 columns shortens long names in the middle before their counts go (remark: %j)',
    (remark, words, name) => {
      const rows = Array.from({ length: 9 }, (_, i) => gateway(`websocket-gateway-eu-central-1-${i}`));
      const remarks = new Map([[rows[0]!.gateway, remark]]);
      const text = lines(
        renderTable(table(rows), { color: false, width: 80, remarks, picksPerSec: new Map() }),
      );
      expect(text[0]).toMatch(words);
      expect(text[8]!.split(' ')[0]).toBe(name);
      for (const line of text) expect(visibleLength(line)).toBeLessThanOrEqual(80);
    },
  );

  it('shortens no names until two of them look the same', () => {
    const ids = [
      'gateway-in-frankfurt-rack-a-with-a-long-tail',
      'gateway-in-frankfurt-rack-b-with-a-long-tail',
    ];
    const text = lines(renderTable(table(ids.map((id) => gateway(id))), { color: false, width: 60 }));
    expect(new Set(text.slice(1, 3).map((line) => line.split(' ')[0])).size).toBe(2);
  });

  it('of 200 gateways on 20 rows shows the hottest, and says so', () => {
    const rows = Array.from({ length: 200 }, (_, i) => gateway(`gw-${i}`, { expectedScore: i / 200 }));
    const text = lines(renderTable(table(rows), { color: false, rows: 20 }));
    expect(text).toHaveLength(20);
    expect(text[1]).toMatch(/^gw-199 /);
    expect(text.at(-1)).toBe('200 of 200 gateways up, table version 6, the 18 hottest shown');
  });

  it('of too many shows those out of use above the hottest, first those that nobody took out', () => {
    const rows = [
      ...Array.from({ length: 300 }, (_, i) => gateway(`gw-${i}`, { expectedScore: i / 300 })),
      gateway('drained', { effectiveState: 'drain', expectedScore: 0 }),
      gateway('gone', { effectiveState: 'stale', expectedScore: 9 }),
      gateway('broken', { breaker: 'open', expectedScore: 0 }),
    ];
    const text = lines(renderTable(table(rows), { color: false, rows: 8 }));
    const shown = text.slice(1, -1).map((line) => line.split(' ')[0]);
    expect(shown).toEqual(['gone', 'broken', 'drained', 'gw-299', 'gw-298', 'gw-297']);
    expect(text.at(-1)).toMatch(/, 3 out of use and the 3 hottest shown$/);
  });

  it.each([
    [3, 3],
    [100, 96],
  ])('of too many with %i out of use, these take %i rows of 98 and leave none empty', (count, shown) => {
    const rows = Array.from({ length: 102 }, (_, i) =>
      gateway(`gw-${i}`, i < count ? { effectiveState: 'maint' } : {}),
    );
    const text = lines(renderTable(table(rows), { color: false, rows: 100 }));
    expect(text).toHaveLength(100);
    expect(text.filter((line) => line.includes('maint'))).toHaveLength(shown);
  });

  it.each(['stale', 'suspect', 'expired'] as const)('shows no load of a gateway that is %s', (state) => {
    const [, row] = lines(renderTable(table([gateway('gw-1', { effectiveState: state })]), { color: false }));
    expect(row).toMatch(/^gw-1 +\w+ +- +25\.0 % +40 +12 +- +123 ms$/);
  });

  it('shows the load of one that is drained, its reason, and an open breaker', () => {
    const desired = { state: 'drain' as const, reason: 'kernel update', author: 'ana', untilEpochMs: 0 };
    const row = gateway('gw-1', { effectiveState: 'drain', desired, breaker: 'open' });
    expect(renderTable(table([row]), { color: false })).toMatch(/30\.0 %.* {2}breaker open, kernel update$/m);
  });

  it('names pools where there are several', () => {
    const text = renderTable(table([gateway('a'), gateway('b', { pool: 'video' })]), { color: false });
    expect(text).toMatch(/^gateway +pool +state/);
    expect(text).toMatch(/^b +video +up/m);
  });

  it('cries when the table is frozen', () => {
    expect(renderTable(table([gateway('a')], { frozen: true }), { color: false })).toContain('FROZEN');
  });
});

describe('the rate of picks', () => {
  it('is unknown at first, and of a gateway that came later', () => {
    const rates = new PickRates();
    expect(rates.update(table([gateway('a', { picks: 500 })]), 0).get('a')).toBe(0);
    const later = rates.update(table([gateway('a', { picks: 510 }), gateway('b', { picks: 900 })]), 2_000);
    expect(Object.fromEntries(later)).toEqual({ a: 5, b: 0 });
  });

  it('is never negative after a restart of Herald', () => {
    const rates = new PickRates();
    rates.update(table([gateway('a', { picks: 500 })]), 0);
    expect(rates.update(table([gateway('a', { picks: 3 })]), 1_000).get('a')).toBe(0);
  });
});

describe('a line for a terminal', () => {
  const red = (text: string): string => `\u001b[31m${text}\u001b[0m`;

  it('is as long as what one sees of it', () => {
    expect(visibleLength(red('hello'))).toBe(5);
  });

  it('is cut to what one sees, its colours with it', () => {
    expect(clipped(`${red('hello')} world`, 80)).toBe(`${red('hello')} world`);
    expect(clipped(`${red('hello')} world`, 8)).toBe(`${red('hello')} w…\u001b[0m`);
    expect(clipped('hello world', 5)).toBe('hell…');
    expect(visibleLength(clipped(red('x'.repeat(100)), 10))).toBe(10);
    // Two columns each, a mark that has none, a picture of two code units.
    expect(visibleLength('更新 u\u0308 🔥')).toBe(9);
    expect(clipped('更新する', 6)).toBe('更新…');
    expect(clipped('更新する', 8)).toBe('更新する');
    expect(clipped(`${red('更新')}する`, 4)).toBe(`${red('更')}…\u001b[0m`);
  });

  it.each([
    [true, 'xterm', '', true],
    [true, 'xterm', '1', false],
    [true, 'dumb', '', false],
    [false, 'xterm', '', false],
  ])('terminal %s, TERM=%s, NO_COLOR=%s: colours %s', (isTTY, term, noColor, colours) => {
    vi.stubEnv('TERM', term);
    vi.stubEnv('NO_COLOR', noColor);
    expect(hasColor({ isTTY })).toBe(colours);
  });
  afterEach(() => void vi.unstubAllEnvs());
});
