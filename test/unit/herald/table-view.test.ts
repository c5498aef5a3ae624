// The load table as JSON: written in pieces, so that a large fleet does not hold the loop.
import { expect, it } from 'vitest';
import { tableView, tableViewJson } from '../../../src/herald/http/table-view.ts';
import { aBalancer, aReport } from '../herald-core/given.ts';

function aView(gateways: number) {
  const balancer = aBalancer();
  for (let i = 0; i < gateways; i++) balancer.report(aReport(`gw-${i}`), 0);
  const about = { heraldId: 'h1', policy: 'expected', degraded: ['"quoted"'] };
  return tableView(balancer.snapshot(1), { pool: '', order: 'gateway' }, about);
}

it.each([0, 1, 500, 501, 1_300])('of %i gateways is that of the whole view', async (gateways) => {
  const view = aView(gateways);
  expect(JSON.parse(await tableViewJson(view))).toEqual(JSON.parse(JSON.stringify(view)));
});

it('lets the loop turn between the pieces', async () => {
  let turns = 0;
  let isOver = false;
  const turn = (): void => {
    turns++;
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  await tableViewJson(aView(5_000));
  isOver = true;
  expect(turns).toBeGreaterThanOrEqual(9);
});
