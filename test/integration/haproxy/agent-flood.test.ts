// Thousands of connections that mean no good at the agent-check port of a real Herald (flood-child.ts). HAProxy
// goes on asking beside them and hears the truth.

import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startChild } from '../../launch/child.ts';
import { launchHaproxy } from '../../launch/haproxy.ts';
import { HERALD_ON_ANY_PORTS, startHeraldProcess } from '../../launch/herald-process.ts';
import { freePort } from '../../launch/free-port.ts';
import { requireServer } from '../../launch/require-server.ts';
import { transpiled } from '../../launch/transpiled.ts';
import { pause, until } from '../../launch/until.ts';
import { ask } from '../herald/one-herald.ts';
import type { FloodReport } from './flood-child.ts';
import { becomes, defaults, frontend, keepReporting, miniGateway } from './rig.ts';

const SLOW = 200;
const IDLE_WAVES = [3_000, 3_000];
const FULL_LINE = /^(ready|drain|maint) (up|down) ([1-9]\d?|100)%( # .+)?\n$/;

/** What the agent says, and how long that took. */
async function asked(port: number): Promise<{ line: string; tookMs: number }> {
  const startMs = performance.now();
  const socket = connect(port, '127.0.0.1');
  let line = '';
  socket.on('data', (bytes) => (line += bytes.toString()));
  socket.on('error', () => {});
  socket.write('chat/gw-1\n');
  await once(socket, 'close');
  return { line, tookMs: performance.now() - startMs };
}

function quantile(values: readonly number[], share: number): number {
  return (
    values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(share * values.length))] ?? NaN
  );
}

describe.runIf(requireServer('haproxy'))('a flood on the agent-check port', () => {
  test('neither silences it nor holds its places', async () => {
    const herald = await startHeraldProcess('serve', {
      id: 'herald-1',
      ...HERALD_ON_ANY_PORTS,
    });
    onTestFinished(() => herald.kill());
    const { admin, control, agent } = herald.addresses as { admin: string; control: string; agent: string };
    const port = Number(agent.split(':')[1]);
    const gateways = await Promise.all(['gw-1', 'gw-2', 'gw-3'].map((id) => miniGateway(id, 0.2)));
    for (const gateway of gateways) onTestFinished(() => gateway.close());
    onTestFinished(keepReporting(gateways, () => [control]));
    await until('all gateways in the table', async () => {
      const { body } = await ask(`${admin}/v1/table`);
      return body.gateways.length === gateways.length;
    });
    const { text } = await ask(`${admin}/v1/haproxy.cfg?backend=chat`);
    const haproxy = await launchHaproxy(`${defaults()}${frontend(await freePort(), 'chat')}${text}`);
    onTestFinished(() => haproxy.stop());
    await becomes(haproxy, 'gw-1', 'weighted', ({ weight }) => weight > 60 && weight < 100, 10_000);

    const child = transpiled(join(import.meta.dirname, 'flood-child.ts'));
    const flood = startChild(process.execPath, [child, ...[port, SLOW, ...IDLE_WAVES].map(String)]);
    onTestFinished(() => flood.stop());
    await flood.line(/^flooding$/m);
    const answers: { line: string; tookMs: number }[] = [];
    const asking = (async () => {
      while (flood.process.exitCode === null) {
        answers.push(await asked(port));
        await pause(10);
      }
    })();
    gateways[0]!.cpu = 0.95;
    const fellMs = await becomes(haproxy, 'gw-1', 'lighter', ({ weight }) => weight < 40, 10_000);
    const [line] = await flood.line(/^\{.*\}$/m, 40_000);
    await asking;
    const { slowMs, idleMs, nonsense } = JSON.parse(line) as FloodReport;

    const tookMs = answers.map((one) => one.tookMs);
    console.log(
      `${answers.length} agent-checks beside ${idleMs.length} idle connections, ${SLOW} slow ones and ` +
        `${nonsense} times nonsense: p50 ${quantile(tookMs, 0.5).toFixed(1)} ms, p99 ` +
        `${quantile(tookMs, 0.99).toFixed(0)} ms; slow ones lasted ${quantile(slowMs, 0.5).toFixed(0)} ms, ` +
        `idle ones ${quantile(idleMs, 0.5).toFixed(0)} ms; HAProxy followed a squeeze in ${fellMs.toFixed(0)} ms`,
    );
    expect(answers.filter((one) => !FULL_LINE.test(one.line))).toEqual([]);
    expect(quantile(tookMs, 0.95)).toBeLessThan(500);
    // A connection that came upon a full queue is the kernel's second try, 1 s later.
    expect(quantile(tookMs, 0.99)).toBeLessThan(2_000);
    // HAProxy asks each second; more than two questions unheard would show here.
    expect(fellMs).toBeLessThan(4_000);
    for (const { agentStatus } of await haproxy.servers('chat')) expect(agentStatus).toBe('L7OK');
    expect(quantile(slowMs, 0.5)).toBeLessThan(2_000);
    expect(Math.max(...idleMs)).toBeLessThan(5_000);

    const { text: metrics } = await ask(`${admin}/metrics`);
    const counted = (outcome: string): number =>
      Number(
        new RegExp(`^herald_agent_checks_total\\{outcome="${outcome}"\\} (\\d+)`, 'm').exec(metrics)?.[1] ??
          0,
      );
    // A crowd that comes quicker than it is cut, or few descriptors: who has been there longest makes room.
    const crowded = counted('crowded');
    expect(counted('slow') + crowded).toBeGreaterThan(IDLE_WAVES[0]!);
    if (crowded === 0) expect(quantile(slowMs, 0.5)).toBeGreaterThan(900);
    expect(counted('malformed')).toBeGreaterThan(0);
  });
});
