import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { MAX_BACKLOG_BYTES } from '../../../src/gateway/core/heaviest.ts';
import { Roster } from '../../../src/gateway/clients/roster.ts';
import { smallGateway } from './small-gateway.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('closes those that have the most unread when all together have too much, and nobody else', () => {
  const { parts, client, passMs } = smallGateway();
  const roster = new Roster(parts);
  const clients = Array.from({ length: 400 }, client);
  for (const { connection } of clients) roster.add(connection);
  const pass = (ms: number): void => {
    for (let passed = 0; passed < ms; passed += 100) {
      passMs(100);
      vi.advanceTimersByTime(100);
    }
  };
  const closed = () => clients.flatMap(({ connection }, i) => (connection.closeCode === 4101 ? [i] : []));
  // Each within its own limit.
  clients.forEach(({ socket }, i) => (socket.writableLength = i < 3 ? 250_000 : MAX_BACKLOG_BYTES / 400));
  pass(1_000);
  expect(closed()).toEqual([]);
  for (const { socket } of clients.slice(350)) socket.writableLength = 900_000;
  pass(1_000);
  expect(closed().length).toBeGreaterThan(30);
  expect(closed().length).toBeLessThan(50);
  expect(closed().every((i) => i >= 350)).toBe(true);
  const before = closed();
  pass(2_000);
  expect(closed()).toEqual(before);
  roster.stop();
});
