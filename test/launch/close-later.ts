// Ends what a test has started once the test is over, the last thing first.

import { onTestFinished } from 'vitest';

/** To be called while a test runs. */
export function closeLater<T extends { close(): unknown }>(thing: T): T {
  onTestFinished(async () => {
    await thing.close();
  });
  return thing;
}
