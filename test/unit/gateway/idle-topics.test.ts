import { expect, it } from 'vitest';
import { Hub } from '../../../src/gateway/core/hub.ts';
import { Outbox } from '../../../src/gateway/core/outbox.ts';

const LINGER_MS = 30_000;

function idleHub(): Hub {
  const outbox = new Outbox(1);
  return new Hub({
    outbox,
    traitsOf: () => ({ flushClass: outbox.classOf(0), sendsLast: false }),
    history: { maxMessages: 10, maxBytes: 10_000, maxAgeMs: 1_000 },
    historyBudgetBytes: 100_000,
    deflate: () => undefined,
    deflateFromBytes: 1_000,
    allocate: (size) => new Uint8Array(size),
  });
}

function comeAndGo(hub: Hub, name: string, nowMs: number): void {
  const topic = hub.topic(name);
  hub.use(topic);
  hub.release(topic, nowMs);
}

it('keeps a topic that nobody uses for as long as it is told', () => {
  const hub = idleHub();
  comeAndGo(hub, 't', 1_000);
  expect(hub.sweep(1_000 + LINGER_MS, LINGER_MS)).toEqual([]);
  expect(hub.sweep(1_001 + LINGER_MS, LINGER_MS)).toEqual(['t']);
});

it('keeps half of them while 20,000 a second come and go', () => {
  const hub = idleHub();
  let most = 0;
  for (let second = 0; second < 20; second++) {
    for (let i = 0; i < 20_000; i++) comeAndGo(hub, `${second}.${i}`, second * 1_000);
    hub.sweep(second * 1_000 + 999, LINGER_MS);
    most = Math.max(most, hub.topicCount);
  }
  expect(most).toBeLessThan(220_000);
});

it('keeps topics as long as it is told once a crowd of them has gone', () => {
  const hub = idleHub();
  for (let i = 0; i < 60_000; i++) comeAndGo(hub, `${i}`, 0);
  hub.sweep(1, LINGER_MS);
  expect(hub.sweep(LINGER_MS, LINGER_MS)).toHaveLength(60_000);
  comeAndGo(hub, 't', LINGER_MS);
  expect(hub.sweep(LINGER_MS + 1, LINGER_MS)).toEqual([]);
  expect(hub.sweep(2 * LINGER_MS, LINGER_MS)).toEqual([]);
});
