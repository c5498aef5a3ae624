// (6) The edge of the client: real sockets, fetch and timers carry out what the machine decides.

import { shown } from '../protocol/decode.ts';
import type { ClientEvent, ClientEvents } from './client-events.ts';
import { EVENT_NAMES } from './client-events.ts';
import type { Client, ConnectOptions, FetchLike, Timers } from './connect-options.ts';
import type { Effect, TimerName } from './effects.ts';
import type { LookupAnswer } from './lookup-answer.ts';
import { judgeLookup } from './lookup-answer.ts';
import { createMachine } from './machine.ts';
import { messageOf } from './message-of.ts';
import { PublishError } from './publish-error.ts';
import { readAnswer } from './read-answer.ts';
import {
  readCaps,
  readFrame,
  readHeralds,
  readRequest,
  readTopic,
  readWebSocket,
  readWish,
  readWishes,
} from './read-options.ts';
import { createSockets } from './sockets.ts';
import { followWakeUps } from './wake-ups.ts';

const LOOKUP_DEADLINE_MS = 5_000;

/** Starts to connect. Throws a TypeError for options that could never work. */
export function connect(options: ConnectOptions): Client {
  const fetchLike = options.fetch ?? globalFetch;
  const timers = options.timers ?? globalTimers;
  const { token } = options;

  const sockets = createSockets(readWebSocket(options.webSocket), timers, {
    opened: (link) => run(() => machine.socketOpened(link, timers.nowMs())),
    received: (link, text) => run(() => machine.socketReceived(link, text, timers.nowMs())),
    closed: (link, code, reason) => run(() => machine.socketClosed(link, code, reason, timers.nowMs())),
  });
  const running = new Map<TimerName, unknown>();
  const listeners = new Map<keyof ClientEvents, Set<(detail: never) => void>>();
  const publishes = new Map<number, { resolve: () => void; reject: (error: Error) => void }>();
  const effects: Effect[] = [];
  let lastPublish = 0;
  let draining = false;
  let closedByProgram = false;
  let asking: AbortController | undefined;

  /** The program's fault must be seen, but not by the connection: it surfaces like one in any callback. */
  const surface = (error: unknown): void => {
    timers.setTimeout(() => {
      throw error;
    }, 0);
  };

  /** Without one where the program cannot say it: the gateway tells whether that will do. */
  const readToken = (): string | undefined => {
    try {
      const text: unknown = typeof token === 'function' ? token() : token;
      if (text === undefined || typeof text === 'string') return text;
      throw new TypeError(`token: received ${shown(text)}, expected a text`);
    } catch (error) {
      surface(error);
      return undefined;
    }
  };

  const machine = createMachine({
    heralds: readHeralds(options.herald),
    request: readRequest(options),
    topics: readWishes(options.topics ?? []),
    token: readToken,
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
        sockets.open(effect.link, effect.url, effect.protocols);
        return;
      case 'send':
        sockets.send(effect.link, effect.text);
        return;
      case 'close':
        sockets.close(effect.link, effect.code, effect.reason);
        return;
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
        else promise?.reject(new PublishError(effect.problem));
        return;
      }
      case 'emit':
        if (effect.event.name === 'state' && effect.event.detail.name === 'closed') stopFollowing();
        tell(effect.event);
    }
  };

  const tell = ({ name, detail }: ClientEvent): void => {
    if (closedByProgram && name !== 'state') return;
    const ofName = listeners.get(name);
    // Those of now: one that is added meanwhile hears the next event, not this one.
    for (const listener of [...(ofName ?? [])]) {
      if (!ofName!.has(listener)) continue;
      try {
        (listener as (detail: unknown) => void)(detail);
      } catch (error) {
        surface(error);
      }
    }
  };

  const lookUp = async (ask: number, url: string): Promise<void> => {
    const abort = new AbortController();
    asking = abort;
    const answered = (answer: LookupAnswer): void => run(() => machine.lookedUp(ask, answer, timers.nowMs()));
    const timer = timers.setTimeout(() => {
      // Told from here: a `fetch` of the program may not know of signals. What comes later is not waited for any more.
      answered({ is: 'silent', why: 'no answer in time' });
      abort.abort();
    }, LOOKUP_DEADLINE_MS);
    let answer: LookupAnswer;
    try {
      const { signal } = abort;
      const response = await fetchLike(url, { cache: 'no-store', credentials: 'omit', signal });
      answer = judgeLookup(response.status, response.headers.get('retry-after'), await readAnswer(response));
    } catch (error) {
      answer = { is: 'silent', why: messageOf(error) };
    }
    timers.clearTimeout(timer);
    answered(answer);
  };

  const wake = (): void => run(() => machine.woken(timers.nowMs()));
  const stopFollowing = followWakeUps(wake);
  run(() => machine.start(timers.nowMs()));

  return {
    get state() {
      return machine.state();
    },
    on(name, listener) {
      if (!EVENT_NAMES.includes(name)) {
        throw new TypeError(`there is no event ${shown(name)}: expected one of ${EVENT_NAMES.join(', ')}`);
      }
      if (typeof listener !== 'function') {
        throw new TypeError(`on(${shown(name)}): received ${shown(listener)}, expected a function`);
      }
      const ofName = listeners.get(name) ?? new Set();
      listeners.set(name, ofName);
      ofName.add(listener);
      return () => void ofName.delete(listener);
    },
    subscribe(...topics) {
      const wishes = topics.map(readWish);
      run(() => machine.subscribe(wishes));
    },
    unsubscribe(...topics) {
      const names = topics.map(readTopic);
      run(() => machine.unsubscribe(names));
    },
    publish: (topic, data) =>
      new Promise((resolve, reject) => {
        readTopic(topic);
        lastPublish += 1;
        const number = lastPublish;
        publishes.set(number, { resolve, reject });
        run(() => {
          if (machine.publish(number, topic, data)) return;
          publishes.delete(number);
          reject(new PublishError({ code: 'not-connected', why: `not connected (${machine.state().name})` }));
        });
      }),
    get caps() {
      return machine.caps();
    },
    send(frame) {
      let sent = false;
      run(() => (sent = machine.send(readFrame(frame))));
      return sent;
    },
    positions: () =>
      Object.fromEntries(
        machine.topics().flatMap((topic) => {
          const position = machine.position(topic);
          return position ? [[topic, { epoch: position.e, offset: position.o }]] : [];
        }),
      ),
    wake,
    close() {
      closedByProgram = true;
      run(() => machine.close());
      // Or a Herald that does not answer would keep the process for the rest of its time.
      asking?.abort();
    },
  };
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
