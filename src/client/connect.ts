// (6) The edge of the client: real sockets, fetch and timers carry out what the machine decides.

import type { Client, ConnectOptions } from './connect-options.ts';
import type { Effect } from './core/effects.ts';
import { ClientMachine } from './core/machine.ts';
import { createEffectQueue } from './effect-queue.ts';
import { createListeners } from './listeners.ts';
import { createLookups } from './lookups.ts';
import { createNamedTimers } from './named-timers.ts';
import { createPublishPromises } from './publish-promises.ts';
import {
  checkOptions,
  readCaps,
  readFrame,
  readHeralds,
  readRequest,
  readTimers,
  readToken,
  readTopic,
  readWebSocket,
  readWish,
  readWishes,
} from './read-options.ts';
import { runtimeFetch } from './runtime.ts';
import { createSockets } from './sockets.ts';
import { followWakeUps } from './wake-ups.ts';

/** Starts to connect. Throws a TypeError for options that could never work. */
export function connect(options: ConnectOptions): Client {
  checkOptions(options);
  const timers = readTimers(options.timers);
  const heralds = readHeralds(options.herald);

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
      case 'settle':
        promises.settle(effect.publish, effect.problem);
        return;
      case 'emit': {
        const { event } = effect;
        if (event.name === 'state' && event.detail.name === 'closed') stopFollowing();
        if (event.name === 'state' || !closedByProgram) listeners.tell(event);
      }
    }
  };
  const { run, add } = createEffectQueue(act);

  const sockets = createSockets(readWebSocket(options.webSocket), timers, {
    opened: (link) => run(() => machine.socketOpened(link, timers.nowMs())),
    received: (link, text) => run(() => machine.socketReceived(link, text, timers.nowMs())),
    closed: (link, code, reason) => run(() => machine.socketClosed(link, code, reason, timers.nowMs())),
  });
  const lookups = createLookups(options.fetch ?? runtimeFetch, timers, (ask, answer) =>
    run(() => machine.lookedUp(ask, answer, timers.nowMs())),
  );
  const setTimer = createNamedTimers(timers, (name) => run(() => machine.timerFired(name, timers.nowMs())));
  const promises = createPublishPromises();
  let closedByProgram = false;

  /** The program's fault must be seen, but not by the connection: it surfaces like one in any callback. */
  const surface = (error: unknown): void => {
    timers.setTimeout(() => {
      throw error;
    }, 0);
  };
  const listeners = createListeners(surface);

  /** None where the program cannot say it: the gateway tells whether that will do. */
  const token = (): string | undefined => {
    try {
      return readToken(options.token);
    } catch (error) {
      surface(error);
      return undefined;
    }
  };

  const machine = new ClientMachine({
    heralds,
    request: readRequest(options),
    topics: readWishes(options.topics),
    token,
    caps: readCaps(options.caps),
    random: options.random ?? Math.random,
    out: add,
  });

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
    async publish(topic, data) {
      readTopic(topic);
      await promises.open((publish) =>
        run(() => {
          if (machine.publish(publish, topic, data)) return;
          promises.settle(publish, { code: 'not-connected', why: `not connected (${machine.state().name})` });
        }),
      );
    },
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
