// The process of no-descriptors.test.ts: takes every descriptor it may have, then looks at itself. Not a test itself.
import { openSync } from 'node:fs';
import { createResidentMeter } from '../../../src/daemon/resident-memory.ts';
import { createProcessSignals } from '../../../src/reporter/process-signals.ts';

const signals = createProcessSignals();
const residentBytes = createResidentMeter();
const before = residentBytes();
try {
  for (;;) openSync('/dev/null', 'r');
} catch (error) {
  if ((error as NodeJS.ErrnoException).code !== 'EMFILE') throw error;
}
signals.sample(1_000_000);
const look = (): void => {
  const seen = signals.signals();
  // Counted off the loop.
  if (seen.descriptors === undefined) return void setImmediate(look);
  process.send?.({ before, now: residentBytes(), seen });
  process.disconnect();
};
look();
