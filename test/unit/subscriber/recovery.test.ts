import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import type { BrokerConnection } from '../../../src/subscriber/broker-connection.ts';
import { Recovery } from '../../../src/subscriber/recovery.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const MOST_MS = 60_000;

/** A broker whose life `e1` nobody else followed, and what is told of it. */
function lone() {
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
  const nextLife = async (): Promise<void> => {
    broker.epoch = 'e2';
    connected.push(broker);
    await vi.advanceTimersByTimeAsync(MOST_MS);
  };
  return { broker, connected, recovery, end, nextLife, uncounted };
}

/** The same, which had been let go of unheard. */
function letGo() {
  const one = lone();
  one.end(true);
  return one;
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

/** The only broker, whose connection ended at `quietMs`; it is away for 10 s, and then another life of it is heard. */
function reset() {
  const one = lone();
  const { broker, connected, recovery } = one;
  connected.push(broker);
  const quietMs = performance.now();
  const followed = { epoch: 'e1', buckets: new Map(), wasCut: false, quietMs };
  const comesBack = async (): Promise<void> => {
    await vi.advanceTimersByTimeAsync(10_000);
    broker.epoch = 'e2';
    recovery.ended(broker, followed);
  };
  /** A message comes that the broker had acked, so long after its connection ended. */
  const sentAgain = (afterMs: number): void => recovery.sentAgain(quietMs + afterMs);
  return { ...one, followed, quietMs, comesBack, sentAgain };
}

it.each([0, 500])(
  'tells of it as well when, %d ms after the next life is heard, what it had acked long after its connection ended is sent again',
  async (laterMs) => {
    const { comesBack, sentAgain, uncounted } = reset();
    await comesBack();
    await vi.advanceTimersByTimeAsync(laterMs);
    sentAgain(2_000);
    sentAgain(2_100);
    await vi.advanceTimersByTimeAsync(MOST_MS);
    expect(uncounted).toEqual(['e1']);
  },
);

it('takes what was acked at most a second after, by a clock that is ahead, for a death at that moment', async () => {
  const { comesBack, sentAgain, uncounted } = reset();
  await comesBack();
  for (const afterMs of [-2_000, 0, 1_000]) sentAgain(afterMs);
  await vi.advanceTimersByTimeAsync(MOST_MS);
  expect(uncounted).toEqual([]);
});

it('does not take for the word of one life what the next one had acked', async () => {
  const nextButOne = reset();
  await nextButOne.comesBack();
  await vi.advanceTimersByTimeAsync(1_000);
  nextButOne.broker.epoch = 'e3';
  nextButOne.recovery.ended(nextButOne.broker, {
    epoch: 'e2',
    buckets: new Map(),
    quietMs: performance.now(),
  });
  nextButOne.sentAgain(10_500);
  await vi.advanceTimersByTimeAsync(MOST_MS);
  expect(nextButOne.uncounted).toEqual([]);
});

it.each(['its connection ended', 'its next life began', 'that was sent again'])(
  'does not take for its word what another broker that was there when %s may have acked',
  async (when) => {
    const { recovery, broker, followed, connected, comesBack, sentAgain, uncounted } = reset();
    const beside = async (isThere: boolean, deed: () => unknown): Promise<void> => {
      if (isThere) connected.push(lone().broker);
      await deed();
      if (isThere) connected.pop();
    };
    await beside(when === 'its connection ended', () => recovery.mend(broker, followed));
    await beside(when === 'its next life began', comesBack);
    await beside(when === 'that was sent again', () => sentAgain(5_000));
    sentAgain(when === 'that was sent again' ? 0 : 5_000);
    await vi.advanceTimersByTimeAsync(MOST_MS);
    expect(uncounted).toEqual([]);
  },
);

it('does not wait for such a word for ever', async () => {
  const { comesBack, sentAgain, uncounted } = reset();
  await comesBack();
  await vi.advanceTimersByTimeAsync(MOST_MS);
  sentAgain(2_000);
  await vi.advanceTimersByTimeAsync(MOST_MS);
  expect(uncounted).toEqual([]);
});
