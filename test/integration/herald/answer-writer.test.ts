import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createAnswerWriter } from '../../../src/herald/http/answer-writer.ts';

const HEADERS = { 'content-type': 'text/plain', 'x-kind': 'answer' };
const KEPT = 'GET /a HTTP/1.1\r\nHost: h\r\n\r\n';
const LAST = 'GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n';

/** A server whose clock stands at `clock.epochMs`; `heads` counts those that Node made. */
async function serve(...bodies: string[]) {
  const clock = { epochMs: 5_000_000 };
  const write = createAnswerWriter(HEADERS, { nowMs: () => 0, epochMs: () => clock.epochMs });
  const counts = { heads: 0 };
  const server = createServer((_request, response) => {
    const writeHead = vi.spyOn(response, 'writeHead');
    write(response, bodies.shift()!);
    counts.heads += writeHead.mock.calls.length;
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  /** All that the server says to `requests`, of which the last must end the connection. */
  const saidTo = async (requests: string): Promise<string> => {
    const socket = connect(port, '127.0.0.1');
    socket.write(requests);
    return text(socket);
  };
  return { saidTo, clock, counts };
}

/** A date is a date. */
const undated = (said: string): string => said.replaceAll(/Date: .{26}GMT/g, 'Date: GMT');

const answer = (length: number, end: string): string =>
  `HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nx-kind: answer\r\ncontent-length: ${length}\r\n` +
  `Date: GMT\r\n${end}\r\n\r\n`;
const KEEP_ALIVE = 'Connection: keep-alive\r\nKeep-Alive: timeout=5';
const CLOSE = 'Connection: close';

test('answers of one second share a head that Node made', async () => {
  const { saidTo, counts } = await serve('one', 'a second one', 'last', 'alone', '');
  expect(undated(await saidTo(KEPT + KEPT + LAST))).toBe(
    `${answer(3, KEEP_ALIVE)}one${answer(12, KEEP_ALIVE)}a second one${answer(4, CLOSE)}last`,
  );
  expect(undated(await saidTo(LAST))).toBe(`${answer(5, CLOSE)}alone`);
  expect(undated(await saidTo('GET /a HTTP/1.0\r\n\r\n'))).toBe(answer(0, CLOSE));
  expect(counts.heads).toBe(2);
});

test('another second has a head of its own, also when the clock was set back', async () => {
  const { saidTo, clock, counts } = await serve('a', 'b', 'c');
  for (const epochMs of [5_000_000, 5_001_000, 4_000_000]) {
    clock.epochMs = epochMs;
    await saidTo(LAST);
  }
  expect(counts.heads).toBe(3);
});

test('a response whose head cannot be reached ends the ordinary way', () => {
  const [writeHead, end] = [vi.fn(), vi.fn()];
  const response = { writeHead, end, shouldKeepAlive: true } as unknown as ServerResponse;
  const write = createAnswerWriter(HEADERS, { nowMs: () => 0, epochMs: () => 0 });
  for (const body of ['{}', '[]']) write(response, body);
  expect(end.mock.calls).toEqual([
    ['{}', 'latin1'],
    ['[]', 'latin1'],
  ]);
  expect(writeHead).toHaveBeenCalledTimes(2);
});
