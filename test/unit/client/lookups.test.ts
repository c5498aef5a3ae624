// What a client does with answers to its lookups that no Herald gives.

import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Client, FetchLike, Timers } from '../../../src/client/index.ts';
import { connect } from '../../../src/client/index.ts';
import { judgeLookup } from '../../../src/client/core/lookup-answer.ts';

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
    expect(asking.state).toMatchObject({ why: 'no Herald answers: an answer of more than 1048576 bytes' });
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
    expect(asking.state).toMatchObject({ name: 'waiting', why: 'no Herald answers: no answer in time' });
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

it.each(['0x10', '1e3', '-7', '7 s', 'Thu, 01 Jan 2070 00:00:00 GMT'])(
  'takes a Retry-After of %j for none: decimal seconds alone are read',
  (retryAfter) => {
    expect(judgeLookup(503, retryAfter, '')).toMatchObject({ is: 'refused', retryAfterMs: undefined });
    expect(judgeLookup(503, ' 7 ', '')).toMatchObject({ is: 'refused', retryAfterMs: 7_000 });
  },
);
