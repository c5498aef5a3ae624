import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import type { BrokerConnection } from '../../../src/subscriber/broker-connection.ts';
import { Recovery } from '../../../src/subscriber/recovery.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const MOST_MS = 60_000;

/** A broker whose life `e1` was let go of unheard, and what is told of it. */
function letGo() {
  const broker = {
    id: 'b1',
    epoch: '',
    question: () => Promise.resolve({ request: 1, kind: 'not-held' as const, of: 'e1' }),
  } as unknown as BrokerConnection & { epoch: string };
  const connected: BrokerConnection[] = [];
  const uncounted: string[] = [];
  const recovery = new Recovery({
    connections: () => connected,
    nowMs: () => performance.now(),
    repaired: () => {},
    lost: () => {},
    uncounted: (_, { epoch }) => uncounted.push(epoch),
  });
  onTestFinished(() => recovery.close());
  const end = (wasCut: boolean): void => recovery.ended(broker, { epoch: 'e1', buckets: new Map(), wasCut });
  end(true);
  const nextLife = async (): Promise<void> => {
    broker.epoch = 'e2';
    connected.push(broker);
    await vi.advanceTimersByTimeAsync(MOST_MS);
  };
  return { end, nextLife, uncounted };
}

it('tells that more may be lost than anybody knows of when another life begins', async () => {
  const { nextLife, uncounted } = letGo();
  await nextLife();
  expect(uncounted).toEqual(['e1']);
});

it.each([0, 10_000])(
  'judges a life by its last end where it came back for a moment, after %d ms',
  async (awayMs) => {
    const heard = letGo();
    await vi.advanceTimersByTimeAsync(awayMs);
    heard.end(false);
    await heard.nextLife();
    expect(heard.uncounted).toEqual([]);
    const unheard = letGo();
    await vi.advanceTimersByTimeAsync(awayMs);
    unheard.end(true);
    await unheard.nextLife();
    expect(unheard.uncounted).toEqual(['e1']);
  },
);
