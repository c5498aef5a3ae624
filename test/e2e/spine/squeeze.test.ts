// The demonstration of `herald up`: a while after the start one gateway is squeezed, and the table shows new
// assignments going elsewhere.

import { request } from 'undici';
import { expect, test } from 'vitest';
import type { TableSnapshot } from '../../../src/herald/core/balancer-types.ts';
import { pause, until } from '../../launch/until.ts';
import { startUp } from './running-up.ts';
import type { RunningUp } from './running-up.ts';

async function picks(up: RunningUp): Promise<Map<string, number>> {
  const reply = await request(`${up.adminUrl}/v1/table`);
  const table = (await reply.body.json()) as TableSnapshot;
  return new Map(table.gateways.map((gateway) => [gateway.gateway, gateway.picks]));
}

test('new assignments avoid a squeezed gateway', async () => {
  const up = await startUp(['--bots', '150', '--squeeze-after', '5s']);
  try {
    await until('the squeeze', () => up.output().includes('squeezing gateway-3'), 40_000);
    // Its load is an average over 2 s; judge what comes after that.
    await pause(4_000);
    const from = await picks(up);
    const during = async (): Promise<number[]> =>
      [...(await picks(up))].map(([id, count]) => count - (from.get(id) ?? 0));
    const total = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0);
    await until('new assignments', async () => total(await during()) > 40, 40_000);
    const assigned = await during();
    const squeezed = [...from.keys()].indexOf('gateway-3');
    expect(assigned[squeezed]! / total(assigned)).toBeLessThan(0.15);
  } finally {
    await up.stop();
  }
});
