// (6) One connection from its opening to its close: hello, welcome, subscribe, resume, then messages. It
// decides by what comes in and when; the edge owns the socket.

import type { ClientOut, SubscribedItem } from '../protocol/client-frames.ts';
import { CLIENT_PROTOCOL } from '../protocol/client-frames.ts';
import { decodeClientOut } from '../protocol/client-out-frames.ts';
import { closeBand } from '../protocol/close-codes.ts';
import { TICKET_PROTOCOL_PREFIX } from '../protocol/ticket.ts';
import { createPace } from './pace.ts';
import { createPublications } from './publications.ts';
import type { Session, SessionParts, SessionPhase } from './session-port.ts';
import { createStream } from './stream.ts';
import { createTopicRequests } from './topic-requests.ts';

/** From the first byte to the last topic in force; covers a gateway that accepts and then says nothing. */
export const CONNECT_DEADLINE_MS = 15_000;
/**
 * The gateway pings each period, so one that is late by a fifth is asked, and given up when it does not answer within
 * two fifths. A cut without a word is thus noticed after 1.6 periods at most, and nobody is given up unasked.
 */
const ASK_AFTER_PINGS = 1.2;
const ANSWER_WITHIN_PINGS = 0.4;
/** The same after a wake-up, where many a socket is dead: a network that is just back answers within this. */
const WAKE_ANSWER_MS = 5_000;
/** Below it a busy machine at either end would look like a cut. */
const LEAST_ANSWER_MS = 1_000;
const MIN_PING_MS = 1_000;
const RESUBSCRIBE_MS = 1_000;
const encoder = new TextEncoder();
const OWN_CAPS = ['gap', 'move'];

interface Asked {
  what: 'sub' | 'unsub';
  topics: readonly string[];
}

export function createSession(parts: SessionParts): Session {
  const { link, pick, book, out, emit } = parts;
  const asked = new Map<number, Asked>();
  const postponed = new Set<string>();
  let phase: SessionPhase = 'opening';
  let conn = '';
  let agreed: readonly string[] = [];
  let pingMs = 0;
  let maxFrameBytes = 0;
  let lastId = 0;
  let openedMs = 0;
  let heardMs = 0;
  /** It was asked whether it lives, and shall answer until then; undefined once anything was heard. */
  let answerDueMs: number | undefined;
  let liveSinceMs: number | undefined;

  const stream = createStream(book, emit);
  const requests = createTopicRequests((topic) => book.item(topic));
  const pace = createPace((afterMs) => out({ do: 'timer', name: `pace:${link}`, afterMs }));
  const nextId = (): number => (lastId += 1);
  const publications = createPublications(nextId, (publish, problem) =>
    out({ do: 'settle', publish, ...(problem !== undefined && { problem }) }),
  );
  const transmit = (text: string): void => {
    pace.spend();
    out({ do: 'send', link, text });
  };
  const send = (frame: object): void => transmit(JSON.stringify(frame));
  const isOpen = (): boolean => phase === 'subscribing' || phase === 'live';

  const end = (): void => {
    phase = 'closed';
    out({ do: 'timer', name: `link:${link}`, afterMs: undefined });
    out({ do: 'timer', name: `pace:${link}`, afterMs: undefined });
    publications.end();
    asked.clear();
  };

  const close = (code: number, reason: string): void => {
    if (phase === 'closed') return;
    out({ do: 'close', link, code, reason });
    end();
  };

  const fail = (why: string): void => {
    close(1000, why);
    parts.onFailure(why);
  };

  const ask = (one: Asked, frame: (id: number) => object): void => {
    const id = nextId();
    asked.set(id, one);
    send(frame(id));
  };

  const askAboutTopics = (): void => {
    while (pace.isOpen()) {
      const next = requests.next(maxFrameBytes);
      if (!next) return;
      const { what, items } = next;
      const topics = what === 'sub' ? items.map(({ c }) => c) : items;
      ask({ what, topics }, (id) => ({ op: what, id, c: items }));
    }
  };

  /** Sends what waits, as far as the gateway takes it. */
  const goOn = (): void => {
    askAboutTopics();
    while (pace.isOpen()) {
      const text = publications.next(asked.size);
      if (text === undefined) return;
      transmit(text);
    }
  };

  const request = (what: 'sub' | 'unsub', topics: readonly string[]): void => {
    if (!isOpen()) return;
    requests.add(what, topics);
    askAboutTopics();
  };

  const settleIfReady = (nowMs: number): void => {
    if (phase !== 'subscribing' || stream.holding() || requests.subWaits()) return;
    for (const one of asked.values()) if (one.what === 'sub') return;
    phase = 'live';
    liveSinceMs = nowMs;
    arm(ASK_AFTER_PINGS * pingMs);
    parts.onReady();
  };

  const refuseTopic = (topic: string, code: number, message: string): void => {
    if (closeBand(code) === 'retry') {
      postponed.add(topic);
      out({ do: 'timer', name: 'resubscribe', afterMs: RESUBSCRIBE_MS });
    } else if (book.has(topic)) {
      book.remove(topic);
      emit({ name: 'refused', detail: { topic, code, message } });
    }
  };

  const answered = (
    id: number,
    items: readonly SubscribedItem[],
    problem: { code: number; msg: string } | undefined,
  ): void => {
    if (publications.answered(id, problem && { code: problem.code, why: problem.msg })) {
      goOn();
      return;
    }
    const one = asked.get(id);
    if (!one) return;
    asked.delete(id);
    requests.answered();
    if (one.what === 'sub') {
      if (problem) for (const topic of one.topics) refuseTopic(topic, problem.code, problem.msg);
      for (const item of items) {
        if (item.err) refuseTopic(item.c, item.err.code, item.err.msg);
        else stream.subscribed(item, parts.predecessorDelivers());
      }
    } else for (const topic of one.topics) stream.unsubscribed(topic);
    goOn();
  };

  const take = (frame: ClientOut): void => {
    switch (frame.op) {
      case 'welcome':
        if (phase !== 'greeting') return;
        phase = 'subscribing';
        conn = frame.conn;
        agreed = frame.caps;
        pingMs = Math.max(MIN_PING_MS, frame.pingMs);
        maxFrameBytes = frame.max.frame;
        pace.limit(frame.max.perSec);
        parts.onWelcome(frame);
        request('sub', book.topics());
        return;
      case 'msg':
        stream.message(frame);
        parts.onProgress();
        return;
      case 'gap':
        stream.gap(frame);
        parts.onProgress();
        return;
      case 'ok':
        answered(frame.id, frame.c ?? [], undefined);
        return;
      case 'err':
        if (frame.id !== undefined) answered(frame.id, [], frame);
        return;
      case 'ping':
        send({ op: 'pong' });
        return;
      case 'move':
        parts.onMove(frame);
        return;
      case 'pong':
      case 'bye':
        return;
    }
  };

  const arm = (afterMs: number): void =>
    out({ do: 'timer', name: `link:${link}`, afterMs: Math.max(1, afterMs) });

  const askWhetherItLives = (nowMs: number, mostMs = Infinity): void => {
    const withinMs = Math.min(mostMs, Math.max(LEAST_ANSWER_MS, ANSWER_WITHIN_PINGS * pingMs));
    answerDueMs = nowMs + withinMs;
    send({ op: 'ping' });
    arm(withinMs);
  };

  return {
    link,
    pick,
    phase: () => phase,
    conn: () => conn,
    liveSinceMs: () => liveSinceMs,
    open(nowMs) {
      openedMs = nowMs;
      heardMs = nowMs;
      const ticket = pick.ticket === '' ? [] : [`${TICKET_PROTOCOL_PREFIX}${pick.ticket}`];
      out({ do: 'open', link, url: pick.url, protocols: [CLIENT_PROTOCOL, ...ticket] });
      arm(CONNECT_DEADLINE_MS);
    },
    opened(nowMs) {
      if (phase !== 'opening') return;
      phase = 'greeting';
      heardMs = nowMs;
      send({
        op: 'hello',
        v: 1,
        caps: [...OWN_CAPS, ...parts.caps],
        ...(parts.token !== undefined && { token: parts.token }),
      });
    },
    received(text, nowMs) {
      if (phase === 'closed') return;
      heardMs = nowMs;
      answerDueMs = undefined;
      const frame = decodeClientOut(text);
      // A frame that cannot be read is dropped like an op that is not known: a newer gateway may send both.
      if (frame.ok && frame.value) take(frame.value);
      else if (frame.ok && parts.caps.some((cap) => agreed.includes(cap))) {
        emit({ name: 'frame', detail: JSON.parse(text) as { op: string } });
      }
      settleIfReady(nowMs);
    },
    checked(nowMs) {
      if (phase === 'closed') return;
      if (phase !== 'live') {
        const leftMs = openedMs + CONNECT_DEADLINE_MS - nowMs;
        if (leftMs > 0) arm(leftMs);
        else fail('no answer in time');
        return;
      }
      const dueMs = answerDueMs ?? heardMs + ASK_AFTER_PINGS * pingMs;
      if (nowMs < dueMs) arm(dueMs - nowMs);
      else if (answerDueMs !== undefined) fail('silent for too long');
      else askWhetherItLives(nowMs);
    },
    woken(nowMs) {
      const isAsked = answerDueMs !== undefined;
      if (phase === 'live' && !isAsked && pace.isOpen()) askWhetherItLives(nowMs, WAKE_ANSWER_MS);
    },
    subscribe: (topics) => request('sub', topics),
    unsubscribe(topics) {
      for (const topic of topics) postponed.delete(topic);
      request('unsub', topics);
    },
    publish(publish, topic, data) {
      publications.add(publish, topic, data, maxFrameBytes);
      goOn();
    },
    paced() {
      pace.tick();
      goOn();
    },
    caps: () => agreed,
    send(frame) {
      const text = JSON.stringify(frame);
      const fits = encoder.encode(text).length <= maxFrameBytes;
      // Beyond its limits the gateway would end the connection, and with it everything else.
      if (phase !== 'live' || !pace.isOpen() || !fits) return false;
      transmit(text);
      return true;
    },
    resubscribe() {
      const topics = [...postponed].filter((topic) => book.has(topic));
      postponed.clear();
      request('sub', topics);
    },
    release(force) {
      stream.release(force);
      settleIfReady(heardMs);
    },
    close,
    closed() {
      if (phase !== 'closed') end();
    },
  };
}
