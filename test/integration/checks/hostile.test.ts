// What answers a check may be anything. Each check ends in its time, with a line, an exit code and no more memory.

import type { ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, describe, expect, it } from 'vitest';
import type { CheckOptions } from '../../../src/checks/run-check.ts';
import { CHECK_NAMES, runCheck } from '../../../src/checks/run-check.ts';

const TIMEOUT_MS = 1_000;
const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

async function answering(answer: Answer): Promise<string> {
  const server = createServer((request, response) => answer(response, request.url ?? ''));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function asking(urls: string[], timeoutMs = TIMEOUT_MS): CheckOptions {
  return { publicUrls: urls, controlUrls: urls, adminUrl: urls[0]!, timeoutMs };
}

type Case = [name: string, answer: Answer, line: RegExp, timeoutMs?: number];
type Answer = (response: ServerResponse, path: string) => void;

const hang = (): void => {};
const json = (body: string) => (response: ServerResponse) => void response.end(body);

function pour(response: ServerResponse): void {
  const chunk = Buffer.alloc(1024 * 1024, ' ');
  const more = (): void => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on('drain', more);
  more();
}

function drip(response: ServerResponse): void {
  const timer = setInterval(() => response.write(' '), 50);
  response.on('close', () => clearInterval(timer));
}

describe.concurrent.each([
  ['hangs', hang, /no answer within \d+ ms/],
  ['drips a byte now and then', drip, /no answer within \d+ ms/],
  ['pours without end', pour, /answers more than 64 MB/, 20_000],
  [
    'closes at once',
    (response: ServerResponse) => void response.destroy(),
    /closed without an answer|ECONNRESET/,
  ],
  [
    'sends from here to there',
    (response: ServerResponse, path: string) => void response.writeHead(302, { location: path }).end(),
    /302|no list/,
  ],
  ['says 200 and a page', json('<html>'), /not the public port|expected|no list/],
  ['says a list', json('[[]]'), /not the public port|expected|no list/],
  [
    'says wrong types',
    json('{"gateways":{},"brokers":7,"status":[],"alternates":1}'),
    /not the public port|expected|no list/,
  ],
  ['nests', json('['.repeat(100_000) + ']'.repeat(100_000)), /not the public port|expected|no list/],
] as Case[])('a server that %s', (_name, answer, line, timeoutMs = TIMEOUT_MS) => {
  it.each(CHECK_NAMES)('gets a verdict of %s in time', async (name) => {
    const url = await answering(answer);
    const startMs = performance.now();
    const result = await runCheck(name, asking([url], timeoutMs));
    expect(performance.now() - startMs).toBeLessThan(timeoutMs + 1_500);
    expect(result.line).toMatch(line);
    expect(result.exitCode).toBeGreaterThanOrEqual(2);
  });
});

describe('of several Heralds, those that hang', () => {
  it.each(['lookup', 'brokers'])('leave %s time for one that answers', async (name) => {
    const good = await answering((response) => {
      const url = `ws://${response.req.headers.host}/ws`;
      response.end(
        JSON.stringify({
          gateway: 'gw-1',
          url,
          brokers: [
            { id: 'b', state: 'up' },
            { id: 'c', state: 'up' },
          ],
        }),
      );
    });
    const startMs = performance.now();
    const result = await runCheck(name, asking([await answering(hang), await answering(hang), good]));
    expect(result).toMatchObject({ exitCode: 0 });
    expect(performance.now() - startMs).toBeLessThan(TIMEOUT_MS);
  });
});
