// Thousands of connections that mean no good at the agent-check port of a real Herald: idle ones, ones that
// send a byte now and then, ones that send nonsense. HAProxy goes on asking beside them and hears the truth.

import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import { MAX_AGENT_CONNECTIONS } from '../../../src/herald/agent-check-server.ts';
import { launchHaproxy } from '../../launch/haproxy.ts';
import { ANY_PORT, startHeraldProcess } from '../../launch/herald-process.ts';
import { freePort } from '../../launch/free-port.ts';
import { requireServer } from '../../launch/require-server.ts';
import { until } from '../../launch/until.ts';
import { ask } from '../herald/one-herald.ts';
import { becomes, defaults, frontend, keepReporting, miniGateway } from './rig.ts';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const SLOW = 200;
/** The last one is more than there are places. */
const IDLE_WAVES = [3_000, 3_000, MAX_AGENT_CONNECTIONS + 1_000];
const FULL_LINE = /^(ready|drain|maint) (up|down) ([1-9]\d?|100)%( # .+)?\n$/;

/** Keeps what is said to a connection and how long it lasts; `-1` when it never came about. */
function dial(port: number): { socket: Socket; said: Promise<string>; lastedMs: Promise<number> } {
  const socket = connect(port, '127.0.0.1');
  let said = '';
  let openMs = -1;
  socket.on('connect', () => (openMs = performance.now()));
  socket.on('data', (bytes) => (said += bytes.toString()));
  socket.on('error', () => {});
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return {
    socket,
    said: closed.then(() => said),
    lastedMs: closed.then(() => (openMs < 0 ? -1 : performance.now() - openMs)),
  };
}

/** Writes a byte each 100 ms until it is cut; resolves with how long that took. */
function drip(port: number): Promise<number> {
  const { socket, lastedMs } = dial(port);
  const timer = setInterval(() => socket.write('x'), 100);
  socket.once('close', () => clearInterval(timer));
  return lastedMs;
}

function quantile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(share * values.length)] ?? NaN;
}

describe.runIf(requireServer('haproxy'))('a flood on the agent-check port', () => {
  test('neither silences it nor holds its places', async () => {
    const herald = await startHeraldProcess('serve', {
      ...{ id: 'herald-1', 'public-listen': ANY_PORT, 'control-listen': ANY_PORT },
      ...{ 'agent-listen': ANY_PORT, 'admin-listen': ANY_PORT },
    });
    cleanUps.push(() => herald.stop());
    const { admin, control, agent } = herald.addresses;
    const port = Number(agent!.split(':')[1]);
    const gateways = await Promise.all(['gw-1', 'gw-2', 'gw-3'].map((id) => miniGateway(id, 0.2)));
    for (const gateway of gateways) cleanUps.push(() => gateway.close());
    cleanUps.push(keepReporting(gateways, () => [control!]));
    await until('all gateways in the table', async () => {
      const { body } = await ask(`${admin}/v1/table`);
      return body.gateways.length === gateways.length;
    });
    const { text } = await ask(`${admin}/v1/haproxy.cfg?backend=chat`);
    const haproxy = await launchHaproxy(`${defaults()}${frontend(await freePort(), 'chat')}${text}`);
    cleanUps.push(() => haproxy.stop());
    await becomes(haproxy, 'gw-1', 'weighted', ({ agentStatus }) => agentStatus === 'L7OK', 5_000);

    const flooding = new AbortController();
    const over = (): boolean => flooding.signal.aborted;
    const askedMs: number[] = [];
    const wrong: string[] = [];
    const asking = (async () => {
      while (!over()) {
        const startMs = performance.now();
        const { socket, said } = dial(port);
        socket.write('chat/gw-1\n');
        const answer = await said;
        askedMs.push(performance.now() - startMs);
        if (!FULL_LINE.test(answer)) wrong.push(answer);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    })();
    const nonsense = (async () => {
      let sent = 0;
      while (!over()) {
        const { socket, said } = dial(port);
        socket.write(randomBytes(8_192));
        await said;
        sent += 1;
      }
      return sent;
    })();
    const dripping = Array.from({ length: SLOW }, () => drip(port));
    const idleMs: number[] = [];
    const fell = until('the flood to be under way', () => idleMs.length > 0, 20_000).then(() => {
      gateways[0]!.cpu = 0.95;
      return becomes(haproxy, 'gw-1', 'lighter', ({ weight }) => weight < 50, 10_000);
    });
    for (const count of IDLE_WAVES) {
      const wave = Array.from({ length: count }, () => dial(port).lastedMs);
      idleMs.push(...(await Promise.all(wave)));
    }
    const fellMs = await fell;
    flooding.abort();
    await asking;
    const slowMs = await Promise.all(dripping);
    const garbage = await nonsense;

    const p99Ms = quantile(askedMs, 0.99);
    console.log(
      `${askedMs.length} agent-checks beside ${idleMs.length} idle connections, ${SLOW} slow ones and ` +
        `${garbage} times nonsense: p50 ${quantile(askedMs, 0.5).toFixed(1)} ms, p99 ${p99Ms.toFixed(0)} ms; ` +
        `idle ones lasted ${quantile(idleMs, 0.5).toFixed(0)} ms (p50), ${quantile(idleMs, 1 - 1e-9).toFixed(0)} ms ` +
        `at most; HAProxy followed a squeeze in ${fellMs.toFixed(0)} ms`,
    );
    expect(wrong).toEqual([]);
    expect(p99Ms).toBeLessThan(1_000);
    // HAProxy asks each second; more than two questions unheard would show here.
    expect(fellMs).toBeLessThan(4_000);
    expect((await haproxy.servers('chat')).map(({ agentStatus }) => agentStatus)).toEqual([
      'L7OK',
      'L7OK',
      'L7OK',
    ]);
    expect(quantile(slowMs, 0.5)).toBeGreaterThan(900);
    expect(quantile(slowMs, 0.5)).toBeLessThan(2_000);
    expect(Math.max(...idleMs)).toBeLessThan(4_000);

    const { text: metrics } = await ask(`${admin}/metrics`);
    const counted = (outcome: string): number =>
      Number(
        new RegExp(`^herald_agent_checks_total\\{outcome="${outcome}"\\} (\\d+)`, 'm').exec(metrics)?.[1] ??
          0,
      );
    expect(counted('slow')).toBeGreaterThan(IDLE_WAVES[0]!);
    // Above its places Herald sends away who has been silent longest.
    expect(counted('crowded')).toBeGreaterThan(0);
    expect(counted('malformed')).toBeGreaterThan(0);
  });
});
