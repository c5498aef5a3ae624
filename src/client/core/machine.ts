// (6) The client as one pure machine: events go in with the time they happened, effects come out. It holds at
// most two connections, the one in use and the one that shall replace it, and at most one acquisition; this file says
// what becomes of a connection that opens, takes over or is lost.

import type { Welcome } from '../../protocol/client-frames.ts';
import { closeBand } from '../../protocol/close-codes.ts';
import type { LookupPick } from '../../protocol/lookup.ts';
import { Acquirer } from './acquirer.ts';
import { afterLoss } from './after-loss.ts';
import type { ClientEvent, ClientState } from './client-events.ts';
import type { ConnectionPair } from './connection-pair.ts';
import { createConnectionPair } from './connection-pair.ts';
import type { Ended } from './client-state.ts';
import { stateOf } from './client-state.ts';
import { createHeraldRota } from './herald-rota.ts';
import type { Machine, MachineParts } from './machine-port.ts';
import type { Moves } from './moves.ts';
import { createMoves } from './moves.ts';
import { GatewaySession } from './session.ts';
import type { Session } from './session-port.ts';
import { createTopicBook } from './topic-book.ts';

/** A connection that lived this long was a good one: the next wait starts small again. */
const CALM_AFTER_MS = 5_000;
/**
 * After a connection is lost, the first lookup comes at a random time within this: a gateway that dies takes
 * thousands of connections with it, and Herald shall see them as a stream and not as a blow.
 */
export const LOST_SPREAD_MS = 1_000;

/** Throws a TypeError for Herald URLs that cannot be one. */
export function createMachine(parts: MachineParts): Machine {
  const { out, random } = parts;
  const book = createTopicBook();
  for (const { topic, from } of parts.topics) book.add(topic, from);
  const rota = createHeraldRota(parts.heralds, random);

  let lastLink = 0;
  /** The time of the event being handled, for what a session decides on its own in the middle of it. */
  let lastSeenMs = 0;
  let ended: Ended | undefined;
  let shown = '';

  const emit = (event: ClientEvent): void => out({ do: 'emit', event });

  const state = (): ClientState =>
    stateOf({ ended, current: pair.current(), isMoving: moves.underWay(), acquirer });

  const showState = (): void => {
    const now = state();
    const text = JSON.stringify(now);
    if (text === shown) return;
    shown = text;
    emit({ name: 'state', detail: now });
  };

  const stop = (code: number, reason: string): void => {
    if (ended) return;
    shutDown(code, reason);
    emit({ name: 'end', detail: { code, reason } });
  };

  const shutDown = (code: number, reason: string): void => {
    ended = { code, reason };
    acquirer.cancel();
    moves.end();
    out({ do: 'timer', name: 'resubscribe', afterMs: undefined });
    pair.close(reason);
    showState();
  };

  const abandonMove = (): void => {
    moves.end();
    showState();
  };

  const open = (pick: LookupPick, nowMs: number): void => {
    lastLink += 1;
    const session: Session = new GatewaySession({
      link: lastLink,
      pick,
      token: parts.token?.(),
      caps: parts.caps,
      book,
      out,
      emit,
      predecessorDelivers: () => pair.precedes(session),
      onWelcome: (welcome: Welcome) => {
        rota.learn(welcome.lookup);
        pair.welcomed();
      },
      mayPublish: () => pair.next()?.phase() !== 'live',
      onPublished: () => pair.takeOver(),
      onReady: () => pair.takeOver(),
      onMove: (order) => moves.ordered(session, order),
      onProgress: (topic) => {
        if (session === pair.current()) pair.next()?.progressed(topic);
      },
      onFailure: (why) => lost(session, 1006, why, lastSeenMs),
    });
    pair.prepare(session);
    moves.forgetEarly();
    session.open(nowMs);
  };

  const pair: ConnectionPair = createConnectionPair(out, (session, old) => {
    moves.end();
    acquirer.succeeded();
    showState();
    if (old) {
      session.adopt(old.takeUnsent());
      acquirer.lasted(lastSeenMs - (old.liveSinceMs() ?? lastSeenMs) >= CALM_AFTER_MS);
      out({ do: 'send', link: old.link, text: '{"op":"bye"}' });
      old.close(1000, 'moved');
      emit({ name: 'moved', detail: { from: old.pick.gateway, to: session.pick.gateway } });
    }
    moves.tookOver(session);
  });

  const lost = (session: Session, code: number, reason: string, nowMs: number): void => {
    const which = pair.remove(session);
    if (which === undefined) return;
    const band = closeBand(code);
    const why = reason === '' ? `closed with ${code}` : reason;
    if (which === 'current') acquirer.lasted(nowMs - (session.liveSinceMs() ?? nowMs) >= CALM_AFTER_MS);
    const isAcquiring = acquirer.phase().name !== 'idle';
    switch (afterLoss({ which, band, hasCurrent: pair.current() !== undefined, isAcquiring })) {
      case 'stop':
        stop(code, reason || 'refused by the gateway');
        return;
      case 'next-pick':
        acquirer.pickFailed(session.pick, why, nowMs);
        pair.current()?.sendWaiting();
        showState();
        return;
      case 'insist':
        // What was held back for the old one goes on now.
        moves.end();
        acquirer.insist();
        pair.hasten();
        showState();
        return;
      case 'return': {
        // The ticket was used once already; a gateway that insists on one answers 4203 and Herald is asked.
        const first = { ...session.pick, ticket: '' };
        moves.end();
        acquirer.begin({ intent: 'resume', first }, acquirer.delayMs(), why, nowMs);
        return;
      }
      case 'look-up': {
        const spreadMs = Math.max(acquirer.delayMs(), Math.round(random() * LOST_SPREAD_MS));
        moves.end();
        acquirer.begin({ intent: 'resume' }, spreadMs, why, nowMs);
      }
    }
  };

  const acquirer: Acquirer = new Acquirer({
    request: parts.request,
    rota,
    random,
    out,
    open,
    onAbandoned: abandonMove,
    onHopeless: (status, detail) => {
      if (pair.current()) abandonMove();
      else stop(status, `lookup refused with ${status}${detail === '' ? '' : `: ${detail}`}`);
    },
    onChange: () => {
      if (pair.current()?.phase() !== 'live') showState();
    },
  });

  const moves: Moves = createMoves({ pair, acquirer, rota, random, out, onBegin: showState });

  return {
    state,
    topics: () => book.topics(),
    position: (topic) => book.position(topic),
    start(nowMs) {
      acquirer.begin({ intent: 'connect' }, 0, 'start', nowMs);
    },
    lookedUp(ask, answer, nowMs) {
      lastSeenMs = nowMs;
      if (!ended) acquirer.lookedUp(ask, answer, nowMs);
    },
    socketOpened(link, nowMs) {
      lastSeenMs = nowMs;
      pair.find(link)?.opened(nowMs);
    },
    socketReceived(link, text, nowMs) {
      lastSeenMs = nowMs;
      pair.find(link)?.received(text, nowMs);
    },
    socketClosed(link, code, reason, nowMs) {
      lastSeenMs = nowMs;
      const session = pair.find(link);
      if (!session || ended) return;
      session.closed();
      lost(session, code, reason, nowMs);
    },
    timerFired(name, nowMs) {
      lastSeenMs = nowMs;
      if (ended) return;
      if (name === 'acquire') acquirer.timerFired(nowMs);
      else if (name === 'move') moves.go(nowMs);
      else if (name === 'handover') pair.hasten();
      else if (name === 'resubscribe') for (const session of pair.all()) session.resubscribe();
      else if (name.startsWith('pace:')) pair.find(Number(name.slice('pace:'.length)))?.paced();
      else pair.find(Number(name.slice('link:'.length)))?.checked(nowMs);
    },
    woken(nowMs) {
      lastSeenMs = nowMs;
      acquirer.hurry();
      for (const session of pair.all()) session.woken(nowMs);
    },
    subscribe(topics) {
      const added = topics.filter(({ topic, from }) => book.add(topic, from));
      if (added.length > 0)
        for (const session of pair.all()) session.subscribe(added.map(({ topic }) => topic));
    },
    unsubscribe(topics) {
      const gone = topics.filter((topic) => book.has(topic));
      for (const topic of gone) book.remove(topic);
      if (gone.length > 0) for (const session of pair.all()) session.unsubscribe(gone);
    },
    publish(publish, topic, data) {
      const current = pair.current();
      if (current?.phase() !== 'live') return false;
      current.publish(publish, topic, data);
      return true;
    },
    caps: () => pair.current()?.caps() ?? [],
    send: (frame) => pair.current()?.send(frame) ?? false,
    close() {
      if (ended) return;
      for (const session of pair.all()) {
        if (session.phase() === 'live') out({ do: 'send', link: session.link, text: '{"op":"bye"}' });
      }
      shutDown(1000, 'closed by the program');
    },
  };
}
