// (6) The edge of the client: real sockets, fetch and timers carry out what the machine decides.

import { shown } from '../protocol/decode.ts';
import type { Client, ConnectOptions } from './connect-options.ts';
import type { Effect, TimerName } from './core/effects.ts';
import { createListeners } from './listeners.ts';
import { createLookups } from './lookups.ts';
import { createMachine } from './core/machine.ts';
import { PublishError } from './core/publish-error.ts';
import {
  checkOptions,
  readCaps,
  readFrame,
  readHeralds,
  readRequest,
  readTopic,
  readWebSocket,
  readWish,
  readWishes,
} from './read-options.ts';
import { runtimeFetch, runtimeTimers } from './runtime.ts';
import { createSockets } from './sockets.ts';
import { followWakeUps } from './wake-ups.ts';

/** Starts to connect. Throws a TypeError for options that could never work. */
export function connect(options: ConnectOptions): Client {
  checkOptions(options);
  const timers = options.timers ?? runtimeTimers;
  const { token } = options;

  const sockets = createSockets(readWebSocket(options.webSocket), timers, {
    opened: (link) => run(() => machine.socketOpened(link, timers.nowMs())),
    received: (link, text) => run(() => machine.socketReceived(link, text, timers.nowMs())),
    closed: (link, code, reason) => run(() => machine.socketClosed(link, code, reason, timers.nowMs())),
  });
  const lookups = createLookups(options.fetch ?? runtimeFetch, timers, (ask, answer) =>
    run(() => machine.lookedUp(ask, answer, timers.nowMs())),
  );
  const running = new Map<TimerName, unknown>();
  const publishes = new Map<number, { resolve: () => void; reject: (error: Error) => void }>();
  const effects: Effect[] = [];
  let lastPublish = 0;
  let draining = false;
  let closedByProgram = false;

  /** The program's fault must be seen, but not by the connection: it surfaces like one in any callback. */
  const surface = (error: unknown): void => {
    timers.setTimeout(() => {
      throw error;
    }, 0);
  };
  const listeners = createListeners(surface);

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
        void lookups.ask(effect.ask, effect.url);
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
      case 'timer':
        setTimer(effect.name, effect.afterMs);
        return;
      case 'settle': {
        const promise = publishes.get(effect.publish);
        publishes.delete(effect.publish);
        if (effect.problem === undefined) promise?.resolve();
        else promise?.reject(new PublishError(effect.problem));
        return;
      }
      case 'emit': {
        const { event } = effect;
        if (event.name === 'state' && event.detail.name === 'closed') stopFollowing();
        if (event.name === 'state' || !closedByProgram) listeners.tell(event);
      }
    }
  };

  const setTimer = (name: TimerName, afterMs: number | undefined): void => {
    timers.clearTimeout(running.get(name));
    running.delete(name);
    if (afterMs === undefined) return;
    const fire = (): void => {
      running.delete(name);
      run(() => machine.timerFired(name, timers.nowMs()));
    };
    running.set(name, timers.setTimeout(fire, afterMs));
  };

  const wake = (): void => run(() => machine.woken(timers.nowMs()));
  const stopFollowing = followWakeUps(wake);
  run(() => machine.start(timers.nowMs()));

  return {
    get state() {
      return machine.state();
    },
    on: listeners.on,
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
      lookups.abandon();
    },
  };
}
