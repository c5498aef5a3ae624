import { expect, it } from 'vitest';
import { createLoopDelayMeter } from '../../../src/daemon/loop-delay.ts';

const STALL_MS = 100;

function stall(): void {
  const untilMs = performance.now() + STALL_MS;
  while (performance.now() < untilMs) Math.sqrt(untilMs);
}

it('tells how long the event loop stood, and forgets it once told', async () => {
  const meter = createLoopDelayMeter();
  // It has to tick before the stall, and after it.
  let polls = 0;
  const delayMs = (): number => {
    if (++polls % 2 === 0) return meter.p99Ms();
    stall();
    return 0;
  };
  await expect.poll(delayMs).toBeGreaterThan(STALL_MS / 2);
  expect(meter.p99Ms()).toBe(0);
  meter.close();
});
