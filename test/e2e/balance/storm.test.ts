// The reconnect storm on real processes, sockets and lookups.

import { expect, test } from 'vitest';
import { runStorm } from './run-storm.ts';

test.each([1, 3])(
  '%i Heralds name a killed gateway no more and spread its clients over the others',
  async (heralds) => {
    const { orphans, refused, allBackMs, worstShare, lastNamedMs, knownLostMs } = await runStorm(
      'expected',
      heralds,
    );
    console.log(
      `storm, ${heralds} Heralds: ${refused} times refused, ${orphans} orphans, back after ${Math.round(allBackMs)} ms, worst share ${worstShare.toFixed(2)}, dead one known lost after ${Math.round(knownLostMs)} ms, last named after ${Math.round(lastNamedMs)} ms`,
    );
    expect(orphans).toBeGreaterThan(100);
    expect(allBackMs).toBeLessThan(10_000);
    expect(worstShare).toBeGreaterThan(0);
    expect(worstShare).toBeLessThanOrEqual(2.5);
    expect(lastNamedMs).toBeLessThan(2_000);
    // Its report connection closed: from then on not even lookups that were under way.
    expect(lastNamedMs).toBeLessThan(knownLostMs + 100);
  },
);
