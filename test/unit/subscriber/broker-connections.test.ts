import { expect, test } from 'vitest';
import type { BrokerAddress } from '../../../src/protocol/broker-address.ts';
import { BrokerConnections, RETIRE_MS } from '../../../src/subscriber/broker-connections.ts';

const at = (id: string, port = 1): BrokerAddress => ({
  id,
  publish: `tcp://${id}:${port}`,
  subscribe: `tcp://${id}:${port}`,
  repair: `tcp://${id}:${port}`,
  http: '',
  epoch: 'e',
  state: 'up',
});

function roster() {
  let nowMs = 0;
  const log: string[] = [];
  const connections = new BrokerConnections(
    (address: BrokerAddress) => {
      log.push(`connect ${address.id}`);
      return {
        id: address.id,
        listed({ silentMs }: BrokerAddress) {
          if (silentMs !== undefined) log.push(`silent for ${silentMs}`);
        },
        moveTo: (to: BrokerAddress) => void log.push(`move to ${to.subscribe}`),
        tick: () => {},
        close: () => void log.push(`close ${address.id}`),
      };
    },
    () => nowMs,
  );
  const follow = (...list: BrokerAddress[]): boolean =>
    connections.follow(list, ({ id }) => log.push(`listen ${id}`));
  const tickAt = (ms: number): void => {
    nowMs = ms;
    connections.tick();
  };
  return { connections, log, follow, tickAt, names: () => [...connections.values()].map(({ id }) => id) };
}

test('connects to who is new, moves who is known, and says when the list is the same', () => {
  const { follow, log } = roster();
  expect(follow(at('a'))).toBe(true);
  expect(follow(at('a'))).toBe(false);
  expect(follow(at('a', 2), at('b'))).toBe(true);
  expect(log).toEqual(['connect a', 'listen a', 'move to tcp://a:2', 'listen a', 'connect b', 'listen b']);
});

test('is told how long each was silent, whether the list is the same or not', () => {
  const { follow, log } = roster();
  follow(at('a'));
  expect(follow({ ...at('a'), silentMs: 700 })).toBe(false);
  expect(log.at(-1)).toBe('silent for 700');
});

test('keeps who left the list for a while, and as long as it likes who came back', () => {
  const { follow, log, names, tickAt } = roster();
  follow(at('a'), at('b'));
  follow(at('a'));
  tickAt(RETIRE_MS - 1);
  expect(names()).toEqual(['a', 'b']);
  follow(at('a'), at('b'));
  tickAt(2 * RETIRE_MS);
  expect(names()).toEqual(['a', 'b']);
  expect(log).not.toContain('close b');
});

test('knows again who comes back after it was let go of', () => {
  const { follow, log, names, tickAt } = roster();
  follow(at('a'), at('b'));
  follow(at('a'));
  tickAt(RETIRE_MS);
  expect(names()).toEqual(['a']);
  follow(at('a'), at('b'));
  expect(names()).toEqual(['a', 'b']);
  expect(log.slice(-4)).toEqual(['move to tcp://a:1', 'listen a', 'move to tcp://b:1', 'listen b']);
});

test('lets go of who left, counted from when it left and not from the next change', () => {
  const { connections, follow, log, names, tickAt } = roster();
  follow(at('a'), at('b'));
  follow(at('a'));
  tickAt(RETIRE_MS - 1);
  follow(at('a'), at('c'));
  tickAt(RETIRE_MS);
  expect(names()).toEqual(['a', 'c']);
  expect(log).toContain('close b');
  connections.close();
  expect(log.slice(-2)).toEqual(['close a', 'close c']);
  expect(names()).toEqual([]);
});
