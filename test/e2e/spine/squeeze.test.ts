// The demonstration of `herald up`: a while after the start one gateway is squeezed, and the table shows new
// assignments going elsewhere.

import { request } from 'undici';
import { expect, test } from 'vitest';
import type { TableSnapshot } from '../../../src/herald/core/balancer-types.ts';
import { until } from '../../launch/until.ts';
import { startUp } from './running-up.ts';
import type { RunningUp } from './running-up.ts';

async function table(up: RunningUp): Promise<TableSnapshot['gateways']> {
  const reply = await request(`${up.adminUrl}/v1/table`);
  return ((await reply.body.json()) as TableSnapshot).gateways;
}

const SQUEEZED = 'gateway-3';

test('new assignments avoid a squeezed gateway', async () => {
  const up = await startUp(['--bots', '150', '--squeeze-after', '5s']);
  try {
    await until('the squeeze', () => up.output().includes(`squeezing ${SQUEEZED}`), 40_000);
    // Its load is an average over 2 s; judge what comes after that.
    const hottest = async (): Promise<boolean> => {
      const rows = await table(up);
      const squeezed = rows.find(({ gateway }) => gateway === SQUEEZED);
      return rows.every((row) => row === squeezed || squeezed!.expectedScore > row.expectedScore + 0.3);
    };
    await until('the table to show it', hottest, 40_000);
    const from = new Map((await table(up)).map(({ gateway, picks }) => [gateway, picks]));
    const during = async (): Promise<Map<string, number>> =>
      new Map((await table(up)).map(({ gateway, picks }) => [gateway, picks - (from.get(gateway) ?? 0)]));
    const total = (counts: Map<string, number>): number =>
      [...counts.values()].reduce((sum, count) => sum + count, 0);
    const assigned = await until(
      'new assignments',
      async () => {
        const counts = await during();
        return total(counts) > 40 ? counts : undefined;
      },
      40_000,
    );
    expect(assigned.get(SQUEEZED)! / total(assigned)).toBeLessThan(0.15);
  } finally {
    await up.stop();
  }
});
