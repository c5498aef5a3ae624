// What a client does with answers to its lookups that no Herald gives.

import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Client, FetchLike, Timers } from '../../../src/client/index.ts';
import { connect } from '../../../src/client/index.ts';

/** Timers whose time a test lets pass. */
function ownTimers(): Timers & { passes(ms: number): void } {
  const waiting = new Map<object, { atMs: number; run: () => void }>();
  let nowMs = 0;
  return {
    setTimeout(run, afterMs) {
      const timer = {};
      waiting.set(timer, { atMs: nowMs + afterMs, run });
      return timer;
    },
    clearTimeout: (timer) => void waiting.delete(timer as object),
    nowMs: () => nowMs,
    passes(ms) {
      nowMs += ms;
      for (const [timer, { atMs, run }] of waiting) {
        if (atMs > nowMs) continue;
        waiting.delete(timer);
        run();
      }
    },
  };
}

let client: Client | undefined;
afterEach(() => client?.close());

function clientOf(fetch: FetchLike, timers: Timers = ownTimers()): Client {
  const WebSocket = class {
    close(): void {}
  } as never;
  client = connect({ herald: 'http://h:7400', webSocket: WebSocket, fetch, timers });
  return client;
}

describe('a client whose Herald is none', () => {
  it('reads no more of an answer than a Herald could say', async () => {
    let sent = 0;
    const long = (): Response =>
      new Response(
        new ReadableStream({
          pull(controller) {
            sent += 65_536;
            controller.enqueue(new Uint8Array(65_536));
            if (sent > 8_000_000) controller.close();
          },
        }),
      );
    const asking = clientOf(async () => long());
    await vi.waitFor(() => expect(asking.state.name).toBe('waiting'));
    expect(asking.state).toMatchObject({
      why: 'no Herald answers at http://h:7400 (an answer of more than 1048576 bytes)',
    });
    expect(sent).toBeLessThan(1_500_000);
  });

  it('lets go of an answer that is too long and breaks off meanwhile', async () => {
    const body = {
      getReader: () => ({
        read: async () => ({ done: false, value: new Uint8Array(2 ** 21) }),
        cancel: () => Promise.reject(new Error('reset by peer')),
      }),
    };
    const asking = clientOf(async () => ({
      ...{ status: 200, headers: { get: () => null }, text: async () => '' },
      body,
    }));
    await vi.waitFor(() => expect(asking.state.name).toBe('waiting'));
  });

  it('gives an answer up after 5 s, also with a fetch that does not know of signals', () => {
    const timers = ownTimers();
    const asking = clientOf(() => new Promise(() => {}), timers);
    timers.passes(4_999);
    expect(asking.state.name).toBe('looking-up');
    timers.passes(1);
    expect(asking.state).toMatchObject({
      name: 'waiting',
      why: 'no Herald answers at http://h:7400 (no answer in time)',
    });
  });
});

it('needs no URL.canParse, which React Native does not have', async () => {
  const spy = vi.spyOn(URL, 'canParse').mockImplementation(() => {
    throw new TypeError('URL.canParse is not a function');
  });
  const found = { gateway: 'g', url: 'ws://g:1/ws', ticket: 't' };
  const opening = clientOf(async () => Response.json(found));
  await vi.waitFor(() => expect(opening.state.name).not.toBe('looking-up'));
  spy.mockRestore();
  expect(opening.state).toMatchObject({ name: 'connecting', gateway: 'g' });
});

it.each([
  ['seconds', { 'retry-after': '7' }],
  [
    'a date, by the clock of who says it',
    { 'retry-after': 'Sat, 01 Jan 2000 00:00:07 GMT', date: 'Sat, 01 Jan 2000 00:00:00 GMT' },
  ],
  ['a date, by its own clock', { 'retry-after': new Date(Date.now() + 7_999).toUTCString() }],
])('comes back when a proxy says, in %s, and at a time of its own within a second', async (_, headers) => {
  const asking = clientOf(async () => new Response('away', { status: 503, headers }));
  await vi.waitFor(() => expect(asking.state.name).toBe('waiting'));
  const { forMs } = asking.state as { forMs: number };
  expect(forMs).toBeGreaterThan(6_500);
  expect(forMs).toBeLessThanOrEqual(8_999);
});

describe('a client that is sent elsewhere', () => {
  const found = { gateway: 'g', url: 'ws://g:1/ws', ticket: 't' };
  const to = (location: string): Response => new Response(null, { status: 307, headers: { location } });

  it('goes there, also to a path of the same server', async () => {
    const asked: string[] = [];
    const opening = clientOf(async (url, { redirect }) => {
      asked.push(`${redirect} ${url}`);
      if (asked.length === 1) return to('/below/v1/lookup?key=k');
      return asked.length === 2 ? to('https://other:1/v1/lookup') : Response.json(found);
    });
    await vi.waitFor(() => expect(opening.state.name).toBe('connecting'));
    expect(asked).toEqual([
      'manual http://h:7400/v1/lookup',
      'manual http://h:7400/below/v1/lookup?key=k',
      'manual https://other:1/v1/lookup',
    ]);
  });

  it('is sent in a circle four times a try, and says so', async () => {
    let asked = 0;
    const asking = clientOf(async (url) => {
      asked += 1;
      return to(url);
    });
    await vi.waitFor(() => expect(asking.state.name).toBe('waiting'));
    const why =
      'no Herald answers at http://h:7400 (more than 3 redirects, the last to http://h:7400/v1/lookup)';
    expect(asking.state).toMatchObject({ why });
    expect(asked).toBe(4);
  });

  it('leaves it to a browser, which hides where to, and says that it did', async () => {
    const asked: string[] = [];
    const hidden = { status: 0, headers: { get: () => null }, text: async () => '' };
    const timers = ownTimers();
    const asking = clientOf(async (_url, { redirect }) => {
      asked.push(redirect);
      if (redirect === 'manual') return hidden;
      if (asked.length === 2) throw new TypeError('Failed to fetch');
      return Response.json(found);
    }, timers);
    await vi.waitFor(() => expect(asking.state.name).toBe('waiting'));
    expect(asking.state).toMatchObject({
      why: 'no Herald answers at http://h:7400 (redirected, then Failed to fetch)',
    });
    timers.passes(1_000);
    await vi.waitFor(() => expect(asking.state.name).toBe('connecting'));
    expect(asked).toEqual(['manual', 'follow', 'follow']);
  });
});
