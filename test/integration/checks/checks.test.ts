// Every check against a real running platform, healthy and broken; its line is read as Nagios reads it.
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CheckOptions, CheckResult } from '../../../src/checks/run-check.ts';
import { CHECK_NAMES, runCheck } from '../../../src/checks/run-check.ts';
import { startUp } from '../../e2e/spine/running-up.ts';
import type { RunningUp } from '../../e2e/spine/running-up.ts';
import { parseBrokers } from '../../../src/publisher/broker-reach.ts';
import { closeLater } from '../../launch/close-later.ts';
import { freePort, freePorts } from '../../launch/free-port.ts';
import { httpServer } from '../../launch/http-server.ts';
import { until } from '../../launch/until.ts';
import { inRange, readNagiosLine } from '../../unit/checks/nagios-line.ts';

let up: RunningUp;
let stop: (() => Promise<void>) | undefined;
let here: CheckOptions;

beforeAll(async () => {
  up = await startUp(['--no-bots', '--no-squeeze']);
  stop = () => up.stop();
  here = {
    publicUrls: [up.publicUrl],
    controlUrls: [up.controlUrl],
    adminUrl: up.adminUrl,
    timeoutMs: 10_000,
  };
  await until(
    'all to be well',
    async () => (await Promise.all(CHECK_NAMES.map(async (name) => runCheck(name, here)))).every(isOk),
    30_000,
    200,
  );
}, 60_000);
afterAll(() => stop?.());

const isOk = ({ exitCode }: CheckResult): boolean => exitCode === 0;

describe('on a healthy platform', () => {
  it.each(CHECK_NAMES)('%s is ok, in one line that Nagios reads, within its own limits', async (name) => {
    const { exitCode, line } = await until('it to be ok', async () => {
      const result = await runCheck(name, here);
      return isOk(result) ? result : undefined;
    });
    expect(exitCode).toBe(0);
    const { text, data } = readNagiosLine(line);
    expect(text).toMatch(new RegExp(`^${name.toUpperCase()} OK - `));
    expect(Object.keys(data)).not.toEqual([]);
    for (const { value, warn, crit } of Object.values(data)) {
      if (warn !== '') expect(inRange(warn, value)).toBe(true);
      if (crit !== '') expect(inRange(crit, value)).toBe(true);
    }
  });

  it('canary hears its message at every gateway', async () => {
    const { data } = readNagiosLine((await runCheck('canary', here)).line);
    expect(data['heard']).toMatchObject({ value: 3, max: 3 });
  });

  it('brokers counts both', async () => {
    expect(readNagiosLine((await runCheck('brokers', here)).line).data['up']?.value).toBe(2);
  });

  it.each(['brokers', 'canary'])('%s asks the next Herald when one is down', async (name) => {
    const dead = `http://127.0.0.1:${await freePort()}`;
    expect(await runCheck(name, { ...here, controlUrls: [dead, up.controlUrl] })).toMatchObject({
      exitCode: 0,
    });
  });

  it.each(['lookup', 'canary'])('%s asks the next Herald when one is down', async (name) => {
    const dead = `http://127.0.0.1:${await freePort()}`;
    expect(await runCheck(name, { ...here, publicUrls: [dead, up.publicUrl] })).toMatchObject({
      exitCode: 0,
    });
  });

  it('herald-ready of several is a warning when one of them is down', async () => {
    const dead = `http://127.0.0.1:${await freePort()}`;
    const { exitCode, line } = await runCheck('herald-ready', { ...here, publicUrls: [dead, up.publicUrl] });
    expect(line).toMatch(/^HERALD-READY WARNING - 1 of 2 ready; http:\S+: .*ECONNREFUSED \| ready=1;;;0;2$/);
    expect(exitCode).toBe(1);
  });

  it('canary is critical when no broker takes a connection', async () => {
    const [publish, subscribe, repair] = await freePorts(3);
    const brokers = parseBrokers([`gone@127.0.0.1:${publish}:${subscribe}:${repair}`]);
    const { exitCode, line } = await runCheck('canary', {
      ...here,
      brokerReach: { brokers },
      timeoutMs: 1_000,
    });
    expect(line).toMatch(/not published: no broker takes a connection: gone at tcp:.* ECONNREFUSED/);
    expect(exitCode).toBe(2);
  });

  it.each([
    [{ warn: 0, crit: 1e9 }, 1],
    [{ warn: 0, crit: 0 }, 2],
  ])('a limit of %o changes the verdict', async (limits, exitCode) => {
    expect((await runCheck('lookup', { ...here, ...limits })).exitCode).toBe(exitCode);
  });

  it('gateway-load knows a gateway by its id, and one that is not there', async () => {
    expect(
      (await runCheck('gateway-load', { ...here, gateway: 'gateway-2', warn: 50, crit: 99 })).exitCode,
    ).toBe(0);
    const { exitCode, line } = await runCheck('gateway-load', { ...here, gateway: 'gateway-9' });
    expect(exitCode).toBe(2);
    expect(line).toContain('the table has no gateway gateway-9');
  });

  it('lookup of a pool that nobody serves is critical and says why', async () => {
    const { exitCode, line } = await runCheck('lookup', { ...here, pool: 'nowhere' });
    expect(exitCode).toBe(2);
    expect(line).toMatch(/^LOOKUP CRITICAL - refused \(503 [a-z-]+\): /);
  });
});

describe('on a broken platform', () => {
  it('a Herald that is not there is critical for those that check it, unknown for the others', async () => {
    const dead = `http://127.0.0.1:${await freePort()}`;
    const there = { publicUrls: [dead], controlUrls: [dead], adminUrl: dead, timeoutMs: 2_000 };
    const codes = await Promise.all(
      CHECK_NAMES.map(async (name) => [name, (await runCheck(name, there)).exitCode] as const),
    );
    expect(Object.fromEntries(codes)).toEqual({
      'herald-ready': 2,
      lookup: 2,
      'table-age': 3,
      'gateway-load': 3,
      brokers: 3,
      canary: 3,
    });
  });

  it('a Herald that hangs is given up at the deadline', async () => {
    const { url } = closeLater(await httpServer(() => {}));
    const startMs = performance.now();
    const { exitCode, line } = await runCheck('herald-ready', { publicUrls: [url], timeoutMs: 300 });
    expect(exitCode).toBe(2);
    expect(line).toContain('no answer within 300 ms');
    expect(performance.now() - startMs).toBeLessThan(5_000);
  });

  it('a Herald that answers nonsense is unknown, not healthy', async () => {
    const { url } = closeLater(await httpServer((_, response) => response.end('<html>it works</html>')));
    for (const name of ['table-age', 'gateway-load', 'brokers']) {
      const { exitCode } = await runCheck(name, { adminUrl: url, controlUrls: [url], timeoutMs: 2_000 });
      expect([name, exitCode]).toEqual([name, 3]);
    }
  });

  it('a port of a Herald that is not the public one is unknown', async () => {
    for (const name of ['herald-ready', 'lookup', 'canary']) {
      const { exitCode, line } = await runCheck(name, { ...here, publicUrls: [up.controlUrl] });
      expect([name, exitCode]).toEqual([name, 3]);
      expect(line).toContain('not the public port of a Herald');
    }
  });

  it('a check that does not exist names the nearest', async () => {
    const { exitCode, line } = await runCheck('table-aeg', here);
    expect(exitCode).toBe(3);
    expect(line).toBe('HERALD UNKNOWN - no check is named table-aeg; did you mean table-age?');
  });

  it('limits in the wrong order are unknown', async () => {
    const { exitCode, line } = await runCheck('lookup', { ...here, warn: 10, crit: 5 });
    expect(exitCode).toBe(3);
    expect(line).toContain('the warning limit 10 lies beyond the critical one 5');
  });

  it('a fleet that is drained takes no connections, and gateway-load says so', async () => {
    for (const id of [1, 2, 3]) {
      const reply = await request(`${up.adminUrl}/v1/gateways/gateway-${id}/maint`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"reason":"test"}',
      });
      await reply.body.dump();
    }
    const { exitCode, line } = await runCheck('gateway-load', here);
    expect(exitCode).toBe(2);
    expect(line).toContain('takes connections (maint)');
    expect((await runCheck('lookup', here)).exitCode).toBe(2);
    expect((await runCheck('canary', here)).exitCode).toBe(2);
  });
});
