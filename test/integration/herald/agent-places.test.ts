// The places of the agent-check port, fewer than Herald really has.

import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { startAgentCheck } from '../../../src/herald/agent-check/agent-check-server.ts';

test('sends away who has been silent longest when all places are taken, never who speaks', async () => {
  const outcomes: string[] = [];
  const server = await startAgentCheck({ host: '127.0.0.1', port: 0 }, '--agent-listen', {
    answer: () => ({ admin: 'ready', health: 'up', weightPercent: 50 }),
    allowed: () => true,
    onEnd: (outcome) => outcomes.push(outcome),
    maxConnections: 10,
  });
  const { port } = server.address;
  const closed: number[] = [];
  for (let i = 0; i < 25; i++) {
    const silent = connect(port, '127.0.0.1');
    silent.on('error', () => {});
    silent.once('close', () => closed.push(i));
    await once(silent, 'connect');
    const asking = connect(port, '127.0.0.1');
    asking.write('gw-1\n');
    const [line] = (await once(asking, 'data')) as [Buffer];
    expect(line.toString()).toBe('ready up 50%\n');
  }
  // Ten places; the askers needed one in between.
  await expect.poll(() => closed.length).toBeGreaterThanOrEqual(15);
  expect(closed.slice(0, 15)).toEqual(Array.from({ length: 15 }, (_, i) => i));
  expect(outcomes.filter((outcome) => outcome === 'ready')).toHaveLength(25);
  expect(outcomes.filter((outcome) => outcome === 'crowded').length).toBeGreaterThanOrEqual(15);
  await server.close();
});
