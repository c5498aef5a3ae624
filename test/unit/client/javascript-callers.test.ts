// Programs without a compiler: what they get wrong is said at once and by name, and what their callbacks do harms
// neither the connection nor the program.

import { describe, expect, it, vi } from 'vitest';
import type { Client, Timers, WebSocketLike } from '../../../src/client/index.ts';
import { connect } from '../../../src/client/index.ts';

/** A socket that a test opens and speaks for. */
class FakeSocket implements WebSocketLike {
  static last: FakeSocket | undefined;
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: never) => void) | null = null;
  onclose: ((event: never) => void) | null = null;
  onerror: ((event: never) => void) | null = null;
  readonly sent: Record<string, unknown>[] = [];

  constructor() {
    FakeSocket.last = this;
  }
  send(text: string): void {
    this.sent.push(JSON.parse(text) as Record<string, unknown>);
  }
  close(): void {}
  says(frame: object): void {
    this.onmessage!({ data: JSON.stringify(frame) } as never);
  }
}

/** Timers that stand still; what callbacks threw comes out of those without a wait. */
function stillTimers(): Timers & { thrown(): unknown[] } {
  const soon: (() => void)[] = [];
  return {
    setTimeout(run, afterMs) {
      if (afterMs === 0) soon.push(run);
    },
    clearTimeout: () => {},
    nowMs: () => 0,
    thrown: () =>
      soon.splice(0).flatMap((run) => {
        try {
          run();
          return [];
        } catch (error) {
          return [error];
        }
      }),
  };
}

const FOUND = JSON.stringify({ lookupId: 'l', gateway: 'g', url: 'ws://g:1/ws', ticket: 't' });
const WELCOME = {
  ...{ op: 'welcome', v: 1, caps: ['gap', 'move'], conn: 'c', gateway: 'g', pingMs: 25_000, lookup: [] },
  max: { frame: 65_536, topics: 128, perSec: 20 },
};

function clientWith(options: object = {}): Client {
  return connect({
    herald: 'http://h:7400',
    webSocket: FakeSocket,
    timers: stillTimers(),
    fetch: async () => ({ status: 200, headers: { get: () => null }, text: async () => FOUND }),
    ...options,
  });
}

/** What is answered without a timer has been heard. */
const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

async function liveClient(options: object = {}): Promise<{ client: Client; socket: FakeSocket }> {
  const client = clientWith(options);
  await settled();
  const socket = FakeSocket.last!;
  socket.onopen!({} as never);
  socket.says(WELCOME);
  expect(client.state.name).toBe('live');
  return { client, socket };
}

describe('connect', () => {
  it.each<[object, RegExp]>([
    [{ herald: undefined }, /^herald: received nothing, expected a Herald's URL as a text, or a list/],
    [{ herald: 7400 }, /^herald: received 7400/],
    [{ herald: [] }, /^herald: received no URL/],
    [{ herald: 'localhost:7400' }, /^herald: received "localhost:7400", expected an http:/],
    [
      { herald: 'https://me:word@h' },
      /^herald: received "https:\/\/\[hidden\]@h", expected an http.* without credentials$/,
    ],
    [{ topics: 'news' }, /^topics: received "news", expected a list/],
    [{ topics: [['a', 'b']] }, /^\["a","b"\] is not a topic/],
    [{ topics: [{ name: 'a' }] }, /^\{"name":"a"\} is not a topic/],
    [{ topics: [undefined] }, /^nothing is not a topic/],
    [{ exclude: 'gw-1' }, /^exclude: received "gw-1", expected a list/],
    [{ exclude: ['gw-1', 2] }, /^exclude: received \["gw-1",2\], expected .*, each a text/],
    [
      { prefer: [{ key: 'plan', value: 'pro', weight: '0.5' }] },
      /^prefer: received .*, expected \{ key, value, weight \}/,
    ],
    [{ herald: new URL('http://h:7400') }, /^herald: received "http:.*", expected a Herald's URL as a text/],
    [{ exclude: Array(17).fill('gw') }, /^exclude: received 17 gateways, expected at most 16/],
    [{ caps: 'shout' }, /^caps: received "shout", expected a list/],
    [{ caps: [1] }, /^1 is not 1 to 64/],
    [{ pool: 5 }, /^pool: received 5, expected a text/],
    [{ key: 0 }, /^key: received 0, expected a text/],
    [{ size: '2' }, /^size: received "2", expected a number/],
    [{ labels: ['plan=pro'] }, /^labels: received \["plan=pro"\], expected \{ key: value \}/],
    [{ labels: { plan: 1 } }, /^labels: received \{"plan":1\}, expected \{ key: value \}/],
    [{ token: 7 }, /^token: received 7, expected a text, or a function/],
    [{ fetch: 'https' }, /^fetch: received "https", expected a function/],
    [{ random: 0.5 }, /^random: received 0.5, expected a function/],
    [{ webSocket: {} }, /^webSocket: received \{\}, expected a class/],
    [{ timers: { setTimeout } }, /^timers: received .*, expected an object with setTimeout, clearTimeout/],
    [{ topicz: ['a'] }, /^connect: unknown option topicz; did you mean topics\?$/],
    [{ websocket: FakeSocket }, /^connect: unknown option websocket; did you mean webSocket\?$/],
    [{ maxWait: 5 }, /^connect: unknown option maxWait; there are herald, topics, .*, timers$/],
    [{ lookupUrl: undefined }, /^connect: unknown option lookupUrl; there are herald, /],
  ])('with %o says what it expects', (options, words) => {
    expect(() => clientWith(options)).toThrow(TypeError);
    expect(() => clientWith(options)).toThrow(words);
  });

  it.each([{}, { herald: [] }])('with %o misses its Herald first, whatever else is missing', (options) => {
    vi.stubGlobal('WebSocket', undefined);
    const call = (): Client => connect(options as never);
    expect(call).toThrow(/^herald: received /);
    vi.unstubAllGlobals();
  });

  const NO_LABELS = {};
  const FITS: Record<string, (value: unknown) => boolean> = {
    ...Object.fromEntries(['pool', 'zone', 'key'].map((name) => [name, (value) => value === 'no-url'])),
    ...Object.fromEntries(['exclude', 'topics', 'caps', 'prefer'].map((name) => [name, Array.isArray])),
    ...Object.fromEntries(
      ['webSocket', 'fetch', 'random'].map((name) => [name, (value) => typeof value === 'function']),
    ),
    herald: () => false,
    timers: () => false,
    labels: (value) => value === NO_LABELS,
    size: (value) => typeof value === 'number',
    token: (value) => value === 'no-url' || typeof value === 'function',
  };
  const VALUES = [null, 7, NaN, true, 'no-url', NO_LABELS, [], () => {}, Symbol('s'), 1n];

  it.each(Object.keys(FITS))('takes as %s only what is of its type, and names it otherwise', (name) => {
    const wrong = VALUES.filter((value) => !FITS[name]!(value));
    expect(wrong.length).toBeGreaterThan(VALUES.length - 3);
    for (const value of wrong) {
      expect(() => clientWith({ [name]: value })).toThrow(TypeError);
      expect(() => clientWith({ [name]: value })).toThrow(new RegExp(`^${name}: received `));
    }
  });
});

it.each([[undefined], [null], ['http://h:7400']])('there is no client of %o', (options) => {
  const call = (): Client => connect(options as never);
  expect(call).toThrow(TypeError);
  expect(call).toThrow(/^connect: received .*, expected options such as \{ herald: URL \}$/);
});

describe('a client', () => {
  it('refuses lists in the place of topics, and events there are none of', () => {
    const client = clientWith();
    const loose = client as unknown as Record<string, (...args: unknown[]) => unknown>;
    expect(() => loose['subscribe']!(['a', 'b'])).toThrow('["a","b"] is not a topic');
    expect(() => loose['unsubscribe']!(['a'])).toThrow('["a"] is not a topic');
    expect(() => loose['on']!('open', () => {})).toThrow('there is no event "open": expected one of message');
    expect(() => loose['on']!('message')).toThrow('expected a function');
    client.close();
  });

  it('rejects what cannot be published, and stays connected', async () => {
    const { client, socket } = await liveClient();
    const circle: { self?: unknown } = {};
    circle.self = circle;
    for (const data of [undefined, 1n, circle, () => {}]) {
      await expect(client.publish('t', data)).rejects.toThrow('not published: the data is not JSON');
    }
    await expect(client.publish(undefined as unknown as string, 1)).rejects.toThrow('nothing is not a topic');
    await expect(client.publish('t', 1n)).rejects.toMatchObject({ name: 'PublishError', code: 'bad-json' });
    await expect(client.publish('t', 'x'.repeat(65_536))).rejects.toMatchObject({ code: 'too-large' });
    const refused = client.publish('t', 1);
    socket.says({ op: 'err', id: socket.sent.at(-1)!['id'], code: 4006, msg: 'not here' });
    await expect(refused).rejects.toMatchObject({ code: 4006, message: 'not published: 4006 not here' });
    const taken = client.publish('t', { text: 'hello' });
    expect(socket.sent.at(-1)).toMatchObject({ op: 'pub', c: 't', d: { text: 'hello' } });
    socket.says({ op: 'ok', id: socket.sent.at(-1)!['id'] });
    await taken;
    const cut = client.publish('t', 1);
    client.close();
    await expect(cut).rejects.toMatchObject({ code: 'closed' });
    await expect(client.publish('t', 1)).rejects.toMatchObject({ code: 'not-connected' });
  });

  it.each([
    [
      () => {
        throw new Error('no session');
      },
      'no session',
    ],
    [async () => 'late', 'token: received {}, expected a text'],
  ])('connects without a token that its program cannot say, and lets that be seen', async (token, words) => {
    const timers = stillTimers();
    const { client, socket } = await liveClient({ token, timers });
    expect(socket.sent[0]).toEqual({ op: 'hello', v: 1, caps: ['gap', 'move'] });
    expect(timers.thrown().map(String)).toEqual([expect.stringContaining(words)]);
    client.close();
  });

  it('tells an event to those who listened when it came, and still do', async () => {
    const { client, socket } = await liveClient();
    let calls = 0;
    let off = (): void => {};
    // A listener that puts itself anew for each event would hear this one without end.
    const listenAnew = (): void => {
      calls += 1;
      off();
      offLater();
      if (calls < 100) off = client.on('end', () => listenAnew());
    };
    off = client.on('end', () => listenAnew());
    const offLater = client.on('end', () => expect.fail('it was ended before its turn'));
    socket.onclose!({ code: 4004, reason: 'another version' } as never);
    expect(calls).toBe(1);
  });

  it('asks for the labels it should rather have', () => {
    const urls: URL[] = [];
    clientWith({
      prefer: [
        { key: 'plan', value: 'pro', weight: 0.3 },
        { key: 'disk', value: 'ssd' },
      ],
      fetch: (url: string) => {
        urls.push(new URL(url));
        return new Promise(() => {});
      },
    }).close();
    expect(urls[0]!.searchParams.getAll('prefer')).toEqual(['plan=pro@0.3', 'disk=ssd@0.1']);
    for (const prefer of [
      { plan: 'pro' },
      ['plan=pro'],
      [{ key: 'plan', value: 'pro', weight: 2 }],
      [null],
    ]) {
      expect(() => clientWith({ prefer })).toThrow('prefer: received');
    }
  });

  it('asks nobody any more once it is closed', async () => {
    let signal: AbortSignal | undefined;
    const client = clientWith({
      fetch: (_url: string, init: { signal: AbortSignal }) => {
        signal = init.signal;
        return new Promise(() => {});
      },
    });
    expect(signal?.aborted).toBe(false);
    client.close();
    expect(signal?.aborted).toBe(true);
    expect(client.state).toMatchObject({ name: 'closed', code: 1000 });
  });

  it('may be closed in any callback', async () => {
    const { client, socket } = await liveClient();
    const heard: unknown[] = [];
    client.subscribe('t');
    client.on('message', ({ data }) => {
      heard.push(data);
      client.close();
    });
    socket.says({ op: 'ok', id: 1, c: [{ c: 't', e: 'e1', o: 0 }] });
    socket.says({ op: 'msg', c: 't', o: 1, d: 1 });
    socket.says({ op: 'msg', c: 't', o: 2, d: 2 });
    expect(heard).toEqual([1]);
    expect(client.state.name).toBe('closed');
  });

  it('says why no gateway lets it in', async () => {
    const client = clientWith();
    await settled();
    FakeSocket.last!.onerror!({ message: 'Unexpected server response: 403' } as never);
    expect(client.state).toMatchObject({
      name: 'waiting',
      why: 'no gateway could be reached: g: Unexpected server response: 403',
    });
    client.close();
  });
});
