// (6) The edge of the client: real sockets, fetch and timers carry out what the machine decides.

import type { Position } from '../protocol/client-frames.ts';
import { EPOCH_PATTERN, EPOCH_WORDS } from '../protocol/client-frames.ts';
import type { LookupRequest } from '../protocol/lookup.ts';
import { TOPIC_PATTERN, TOPIC_WORDS } from '../protocol/names.ts';
import type { ClientEvent, ClientEvents } from './client-events.ts';
import type {
  Client,
  ConnectOptions,
  FetchLike,
  Timers,
  TopicWish,
  WebSocketConstructor,
  WebSocketLike,
} from './connect-options.ts';
import type { Effect, TimerName } from './effects.ts';
import { judgeLookup } from './lookup-answer.ts';
import { createMachine } from './machine.ts';

const LOOKUP_DEADLINE_MS = 5_000;
/** A `hello` holds 32, two of them the client's own. */
const MAX_CAPS = 30;
const CAP_PATTERN = /^[\w.-]{1,64}$/;

/** Starts to connect. Throws a TypeError for options that could never work. */
export function connect(options: ConnectOptions): Client {
  const WebSocketClass = options.webSocket ?? globalWebSocket();
  const fetchLike = options.fetch ?? globalFetch;
  const timers = options.timers ?? globalTimers;
  const { token } = options;

  const sockets = new Map<number, WebSocketLike>();
  const running = new Map<TimerName, unknown>();
  const listeners = new Map<keyof ClientEvents, Set<(detail: never) => void>>();
  const publishes = new Map<number, { resolve: () => void; reject: (error: Error) => void }>();
  const effects: Effect[] = [];
  let lastPublish = 0;
  let draining = false;
  let closedByProgram = false;

  const machine = createMachine({
    heralds: typeof options.herald === 'string' ? [options.herald] : options.herald,
    request: lookupRequest(options),
    topics: (options.topics ?? []).map(readWish),
    token: typeof token === 'string' ? () => token : token,
    caps: readCaps(options.caps ?? []),
    random: options.random ?? Math.random,
    out: (effect) => void effects.push(effect),
  });

  /** Lets the machine decide, then acts. A listener that calls back in only adds to the queue. */
  const run = (decide: () => void): void => {
    decide();
    if (draining) return;
    draining = true;
    try {
      for (let effect = effects.shift(); effect; effect = effects.shift()) act(effect);
    } finally {
      draining = false;
    }
  };

  const act = (effect: Effect): void => {
    switch (effect.do) {
      case 'lookup':
        void lookUp(effect.ask, effect.url);
        return;
      case 'open':
        open(effect.link, effect.url, effect.protocols);
        return;
      case 'send':
        sockets.get(effect.link)?.send(effect.text);
        return;
      case 'close': {
        const socket = sockets.get(effect.link);
        sockets.delete(effect.link);
        // A reason may have 123 bytes (RFC 6455 section 5.5).
        socket?.close(effect.code, effect.reason.slice(0, 100));
        return;
      }
      case 'timer': {
        const { name, afterMs } = effect;
        timers.clearTimeout(running.get(name));
        running.delete(name);
        if (afterMs === undefined) return;
        const fire = (): void => {
          running.delete(name);
          run(() => machine.timerFired(name, timers.nowMs()));
        };
        running.set(name, timers.setTimeout(fire, afterMs));
        return;
      }
      case 'settle': {
        const promise = publishes.get(effect.publish);
        publishes.delete(effect.publish);
        if (effect.problem === undefined) promise?.resolve();
        else promise?.reject(new Error(`not published: ${effect.problem}`));
        return;
      }
      case 'emit':
        tell(effect.event);
    }
  };

  const tell = ({ name, detail }: ClientEvent): void => {
    if (closedByProgram && name !== 'state') return;
    for (const listener of listeners.get(name) ?? []) {
      try {
        (listener as (detail: unknown) => void)(detail);
      } catch (error) {
        // The program's fault must be seen, but not by the connection: it surfaces like one in any callback.
        timers.setTimeout(() => {
          throw error;
        }, 0);
      }
    }
  };

  const lookUp = async (ask: number, url: string): Promise<void> => {
    const deadline = new AbortController();
    const timer = timers.setTimeout(() => deadline.abort(), LOOKUP_DEADLINE_MS);
    let answer;
    try {
      const response = await fetchLike(url, {
        cache: 'no-store',
        credentials: 'omit',
        signal: deadline.signal,
      });
      answer = judgeLookup(response.status, response.headers.get('retry-after'), await response.text());
    } catch (error) {
      answer = {
        is: 'silent' as const,
        why: deadline.signal.aborted ? 'no answer in time' : messageOf(error),
      };
    }
    timers.clearTimeout(timer);
    const judged = answer;
    run(() => machine.lookedUp(ask, judged, timers.nowMs()));
  };

  const open = (link: number, url: string, protocols: string[]): void => {
    let over = false;
    const closed = (code: number, reason: string): void => {
      if (over) return;
      over = true;
      // Closed by this side: nobody waits for the answer.
      if (!sockets.delete(link)) return;
      run(() => machine.socketClosed(link, code, reason, timers.nowMs()));
    };
    let socket: WebSocketLike;
    try {
      socket = new WebSocketClass(url, protocols);
    } catch (error) {
      // A page on https may not open ws:, for one.
      timers.setTimeout(
        () => run(() => machine.socketClosed(link, 1006, messageOf(error), timers.nowMs())),
        0,
      );
      return;
    }
    sockets.set(link, socket);
    let isOpen = false;
    socket.onopen = () => {
      isOpen = true;
      if (sockets.has(link)) run(() => machine.socketOpened(link, timers.nowMs()));
    };
    socket.onmessage = ({ data }: { data?: unknown }) => {
      if (typeof data === 'string' && sockets.has(link)) {
        run(() => machine.socketReceived(link, data, timers.nowMs()));
      }
    };
    socket.onclose = ({ code = 1006, reason = '' }: { code?: number; reason?: string }) =>
      closed(code, reason);
    // Node 22 fires no close after a failed handshake; after an open one, close follows with the real code.
    socket.onerror = () => {
      if (!isOpen) closed(1006, 'cannot connect');
    };
  };

  run(() => machine.start(timers.nowMs()));

  return {
    get state() {
      return machine.state();
    },
    on(name, listener) {
      const ofName = listeners.get(name) ?? new Set();
      listeners.set(name, ofName);
      ofName.add(listener);
      return () => void ofName.delete(listener);
    },
    subscribe(...topics) {
      const wishes = topics.map(readWish);
      run(() => machine.subscribe(wishes));
    },
    unsubscribe: (...topics) => run(() => machine.unsubscribe(topics)),
    publish: (topic, data) =>
      new Promise((resolve, reject) => {
        lastPublish += 1;
        const number = lastPublish;
        publishes.set(number, { resolve, reject });
        run(() => {
          if (machine.publish(number, topic, data)) return;
          publishes.delete(number);
          reject(new Error(`not published: not connected (${machine.state().name})`));
        });
      }),
    get caps() {
      return machine.caps();
    },
    send(frame) {
      let sent = false;
      run(() => (sent = machine.send(frame)));
      return sent;
    },
    positions: () =>
      Object.fromEntries(
        machine.topics().flatMap((topic) => {
          const position = machine.position(topic);
          return position ? [[topic, { epoch: position.e, offset: position.o }]] : [];
        }),
      ),
    close() {
      closedByProgram = true;
      run(() => machine.close());
    },
  };
}

function lookupRequest(options: ConnectOptions): Partial<LookupRequest> {
  const { pool, zone, labels, key, size, exclude } = options;
  return {
    ...(pool !== undefined && { pool }),
    ...(zone !== undefined && { zone }),
    ...(labels !== undefined && { labels: { ...labels } }),
    ...(key !== undefined && { key }),
    ...(size !== undefined && { size }),
    ...(exclude !== undefined && { exclude: [...exclude] }),
  };
}

function readWish(wish: TopicWish): { topic: string; from?: Position } {
  const { topic, from } = typeof wish === 'string' ? { topic: wish, from: undefined } : wish;
  if (!TOPIC_PATTERN.test(topic)) throw new TypeError(`${JSON.stringify(topic)} is not ${TOPIC_WORDS}`);
  if (!from) return { topic };
  const { epoch, offset } = from;
  // A position that was kept badly: the gateway would refuse the other topics of its frame too.
  if (
    typeof epoch !== 'string' ||
    !EPOCH_PATTERN.test(epoch) ||
    !Number.isSafeInteger(offset) ||
    offset < 0
  ) {
    throw new TypeError(
      `${JSON.stringify(from)} is no position: expected ${EPOCH_WORDS}, and an offset from 0`,
    );
  }
  return { topic, from: { e: epoch, o: offset } };
}

function readCaps(caps: readonly string[]): readonly string[] {
  if (caps.length > MAX_CAPS) throw new TypeError(`${caps.length} caps: expected at most ${MAX_CAPS}`);
  const bad = caps.find((cap) => !CAP_PATTERN.test(cap));
  if (bad !== undefined) throw new TypeError(`${JSON.stringify(bad)} is not 1 to 64 of A-Z a-z 0-9 . _ -`);
  return caps;
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // To Node's `fetch` all that fails is "fetch failed"; why stands behind it.
  const { cause } = error;
  return cause instanceof Error && cause.message !== ''
    ? `${error.message}, ${cause.message}`
    : error.message;
}

function globalWebSocket(): WebSocketConstructor {
  const found = (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket;
  if (!found) throw new TypeError('this runtime has no WebSocket: pass one, connect({ webSocket: ... })');
  return found;
}

const globalFetch: FetchLike = (url, init) =>
  (globalThis as unknown as { fetch: FetchLike }).fetch(url, init);

/** The timer functions that browsers and Node share; the standard library types differ between the two. */
interface GlobalTimers {
  setTimeout(run: () => void, afterMs: number): unknown;
  clearTimeout(timer: unknown): void;
}

const globalTimers: Timers = {
  setTimeout: (run, afterMs) => (globalThis as unknown as GlobalTimers).setTimeout(run, afterMs),
  clearTimeout: (timer) => (globalThis as unknown as GlobalTimers).clearTimeout(timer),
  nowMs: () => performance.now(),
};
