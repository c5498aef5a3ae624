// The reconnect storm on real processes, sockets and lookups.

import { expect, test } from 'vitest';
import { runStorm } from './run-storm.ts';

test('a killed gateway is not named again, and its clients spread over the others', async () => {
  const { orphans, allBackMs, worstShare, lastNamedMs, knownLostMs } = await runStorm('expected');
  console.log(
    `storm: ${orphans} orphans, back after ${Math.round(allBackMs)} ms, worst share ${worstShare.toFixed(2)}, dead one known lost after ${Math.round(knownLostMs)} ms, last named after ${Math.round(lastNamedMs)} ms`,
  );
  expect(orphans).toBeGreaterThan(100);
  expect(allBackMs).toBeLessThan(10_000);
  expect(worstShare).toBeGreaterThan(0);
  expect(worstShare).toBeLessThanOrEqual(2.5);
  expect(lastNamedMs).toBeLessThan(2_000);
  // Its report connection closed: from then on not even lookups that were under way.
  expect(lastNamedMs).toBeLessThan(knownLostMs + 100);
});
