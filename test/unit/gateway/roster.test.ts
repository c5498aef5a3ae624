import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { MAX_TOGETHER_BYTES } from '../../../src/gateway/core/heaviest.ts';
import { Roster } from '../../../src/gateway/clients/roster.ts';
import { smallGateway } from './small-gateway.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Clients of one gateway, and its time. */
function manyClients(count: number) {
  const { parts, client, passMs } = smallGateway();
  const roster = new Roster(parts);
  onTestFinished(() => roster.stop());
  const clients = Array.from({ length: count }, client);
  for (const { connection } of clients) roster.add(connection);
  const pass = (ms: number): void => {
    for (let passed = 0; passed < ms; passed += 100) {
      passMs(100);
      vi.advanceTimersByTime(100);
    }
  };
  const closedWith = (code: number) =>
    clients.flatMap(({ connection }, i) => (connection.closeCode === code ? [i] : []));
  return { parts, roster, clients, pass, closedWith };
}

it('closes those that have the most unread when all together have too much, and nobody else', () => {
  const { clients, pass, closedWith } = manyClients(400);
  const closed = () => closedWith(4101);
  // Each within its own limit.
  clients.forEach(({ socket }, i) => (socket.writableLength = i < 3 ? 250_000 : MAX_TOGETHER_BYTES / 400));
  pass(1_000);
  expect(closed()).toEqual([]);
  for (const { socket } of clients.slice(350)) socket.writableLength = 900_000;
  pass(500);
  expect(closed().length).toBeGreaterThan(30);
  expect(closed().length).toBeLessThan(50);
  expect(closed().every((i) => i >= 350)).toBe(true);
  const before = closed();
  pass(2_000);
  expect(closed()).toEqual(before);
});

it('closes those that have sent the most unfinished when all together have too much, and nobody else', () => {
  const { clients, pass, closedWith } = manyClients(400);
  for (const { ws } of clients) ws.unfinishedBytes = MAX_TOGETHER_BYTES / 400;
  pass(1_000);
  expect(closedWith(4103)).toEqual([]);
  for (const { ws } of clients.slice(350)) ws.unfinishedBytes = 900_000;
  pass(500);
  const before = closedWith(4103);
  expect(before.length).toBeGreaterThan(30);
  expect(before.length).toBeLessThan(60);
  expect(before.every((i) => i >= 350)).toBe(true);
  const cut = () => clients.flatMap(({ ws }, i) => (ws.isCut ? [i] : []));
  expect(cut()).toEqual([]);
  pass(2_000);
  expect(closedWith(4103)).toEqual(before);
  expect(cut()).toEqual(before);
});

it('sees too much that is unfinished by the next tick, and reads no more of who is closed for it', () => {
  const { clients, pass, closedWith } = manyClients(400);
  for (const { ws, connection } of clients) {
    ws.unfinishedBytes = MAX_TOGETHER_BYTES / 350;
    connection.keeps(ws.unfinishedBytes);
  }
  pass(100);
  const closed = closedWith(4103);
  expect(closed.length).toBeGreaterThan(90);
  expect(closed.length).toBeLessThan(100);
  expect(clients.flatMap(({ ws }, i) => (ws.isPaused ? [i] : []))).toEqual(closed);
});

it('forgets what a client that has gone did not finish', () => {
  const { parts, roster, clients } = manyClients(2);
  for (const { connection } of clients) connection.keeps(1_000);
  roster.remove(clients[0]!.connection);
  expect(parts.unfinishedBytes).toBe(1_000);
});
