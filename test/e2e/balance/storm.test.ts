// The reconnect storm on real processes, sockets and lookups.

import { expect, test } from 'vitest';
import { runStorm } from './run-storm.ts';

test('a killed gateway is not named again, and its clients spread over the others', async () => {
  const { orphans, allBackMs, worstShare, lastNamedMs } = await runStorm('expected');
  console.log(
    `storm: ${orphans} orphans, back after ${Math.round(allBackMs)} ms, worst share ${worstShare.toFixed(2)}, dead one last named after ${Math.round(lastNamedMs)} ms`,
  );
  expect(orphans).toBeGreaterThan(100);
  expect(allBackMs).toBeLessThan(10_000);
  expect(worstShare).toBeGreaterThan(0);
  expect(worstShare).toBeLessThanOrEqual(2.5);
  expect(lastNamedMs).toBeLessThan(2_000);
});
