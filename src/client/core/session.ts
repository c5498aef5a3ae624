// (6) One connection from its opening to its close: hello, welcome, subscribe, resume, then messages. It
// decides by what comes in and when; the edge owns the socket.

import type { ClientOut, Welcome } from '../../protocol/client-frames.ts';
import { CLIENT_PROTOCOL } from '../../protocol/client-frames.ts';
import { decodeClientOut } from '../../protocol/client-out-frames.ts';
import { TICKET_PROTOCOL_PREFIX } from '../../protocol/ticket.ts';
import type { LifeVerdict } from './life-signs.ts';
import { LifeSigns } from './life-signs.ts';
import { createPace } from './pace.ts';
import { createPublications } from './publications.ts';
import type { PublishProblem } from './publish-error.ts';
import type { Session, SessionParts, SessionPhase } from './session-port.ts';
import { createStream } from './stream.ts';
import { createTopicDesk } from './topic-desk.ts';

const RESUBSCRIBE_MS = 1_000;
const encoder = new TextEncoder();
const OWN_CAPS = ['gap', 'move'];

export function createSession(parts: SessionParts): Session {
  const { link, pick, book, out, emit } = parts;
  const life = new LifeSigns();
  let phase: SessionPhase = 'opening';
  let welcome: Welcome | undefined;
  let lastId = 0;
  let liveSinceMs: number | undefined;

  const agreed = (): readonly string[] => welcome?.caps ?? [];
  const maxFrameBytes = (): number => welcome?.max.frame ?? 0;
  const stream = createStream(book, emit);
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
  const topics = createTopicDesk({
    book,
    stream,
    emit,
    mayAsk: () => pace.isOpen(),
    maxFrameBytes,
    nextId,
    send,
    predecessorDelivers: parts.predecessorDelivers,
    onPostponed: () => out({ do: 'timer', name: 'resubscribe', afterMs: RESUBSCRIBE_MS }),
  });
  const isOpen = (): boolean => phase === 'subscribing' || phase === 'live';

  const end = (): void => {
    phase = 'closed';
    out({ do: 'timer', name: `link:${link}`, afterMs: undefined });
    out({ do: 'timer', name: `pace:${link}`, afterMs: undefined });
    publications.end();
    topics.end();
  };

  const close = (code: number, reason: string): void => {
    if (phase === 'closed') return;
    out({ do: 'close', link, code, reason });
    end();
  };

  const obey = (verdict: LifeVerdict): void => {
    if (verdict.is === 'dead') {
      close(1000, verdict.why);
      parts.onFailure(verdict.why);
      return;
    }
    if (verdict.is === 'ask') send({ op: 'ping' });
    out({ do: 'timer', name: `link:${link}`, afterMs: Math.max(1, verdict.againMs) });
  };

  /** Sends what waits, as far as the gateway takes it. */
  const goOn = (): void => {
    if (!isOpen()) return;
    topics.ask();
    while (pace.isOpen() && parts.mayPublish()) {
      const text = publications.next(topics.open());
      if (text === undefined) return;
      transmit(text);
    }
  };

  const settleIfReady = (nowMs: number): void => {
    if (phase !== 'subscribing' || stream.holding() || !topics.isSubscribed()) return;
    phase = 'live';
    liveSinceMs = nowMs;
    obey(life.live(welcome!.pingMs));
    parts.onReady();
  };

  const answered = (id: number, problem?: PublishProblem): boolean => {
    const isPublication = publications.answered(id, problem);
    if (isPublication) parts.onPublished();
    return isPublication;
  };

  const take = (frame: ClientOut): void => {
    switch (frame.op) {
      case 'welcome':
        if (phase !== 'greeting') return;
        phase = 'subscribing';
        welcome = frame;
        pace.limit(frame.max.perSec);
        parts.onWelcome(frame);
        topics.request('sub', book.topics());
        return;
      case 'msg':
        stream.message(frame);
        parts.onProgress(frame.c);
        return;
      case 'gap':
        stream.gap(frame);
        parts.onProgress(frame.c);
        return;
      case 'ok':
        if (!answered(frame.id)) topics.answered(frame.id, frame.c ?? [], undefined);
        goOn();
        return;
      case 'err':
        if (frame.id === undefined) return;
        if (!answered(frame.id, { code: frame.code, why: frame.msg })) topics.answered(frame.id, [], frame);
        goOn();
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

  return {
    link,
    pick,
    phase: () => phase,
    conn: () => welcome?.conn ?? '',
    liveSinceMs: () => liveSinceMs,
    open(nowMs) {
      const ticket = pick.ticket === '' ? [] : [`${TICKET_PROTOCOL_PREFIX}${pick.ticket}`];
      out({ do: 'open', link, url: pick.url, protocols: [CLIENT_PROTOCOL, ...ticket] });
      obey(life.begin(nowMs));
    },
    opened(nowMs) {
      if (phase !== 'opening') return;
      phase = 'greeting';
      life.heard(nowMs);
      send({
        op: 'hello',
        v: 1,
        caps: [...OWN_CAPS, ...parts.caps],
        ...(parts.token !== undefined && { token: parts.token }),
      });
    },
    received(text, nowMs) {
      if (phase === 'closed') return;
      life.heard(nowMs);
      const frame = decodeClientOut(text);
      // A frame that cannot be read is dropped like an op that is not known: a newer gateway may send both.
      if (frame.ok && frame.value) take(frame.value);
      else if (frame.ok && parts.caps.some((cap) => agreed().includes(cap))) {
        emit({ name: 'frame', detail: JSON.parse(text) as { op: string } });
      }
      settleIfReady(nowMs);
    },
    checked(nowMs) {
      if (phase !== 'closed') obey(life.look(nowMs));
    },
    woken(nowMs) {
      const verdict = phase === 'live' && pace.isOpen() ? life.woken(nowMs) : undefined;
      if (verdict) obey(verdict);
    },
    subscribe(names) {
      if (isOpen()) topics.request('sub', names);
    },
    unsubscribe(names) {
      if (isOpen()) topics.request('unsub', names);
    },
    publish(publish, topic, data) {
      publications.add(publish, topic, data, maxFrameBytes());
      goOn();
    },
    isPublishing: () => publications.unanswered() > 0,
    takeUnsent: () => publications.takeUnsent(),
    adopt(waiting) {
      publications.adopt(waiting, maxFrameBytes());
      goOn();
    },
    publishOn: goOn,
    paced() {
      pace.tick();
      goOn();
    },
    caps: agreed,
    send(frame) {
      const text = JSON.stringify(frame);
      const fits = encoder.encode(text).length <= maxFrameBytes();
      // Beyond its limits the gateway would end the connection, and with it everything else.
      if (phase !== 'live' || !pace.isOpen() || !fits) return false;
      transmit(text);
      return true;
    },
    resubscribe() {
      if (isOpen()) topics.askAgain();
    },
    progressed(topic) {
      stream.progressed(topic);
      settleIfReady(life.heardMs);
    },
    release() {
      stream.release();
      settleIfReady(life.heardMs);
    },
    close,
    closed() {
      if (phase !== 'closed') end();
    },
  };
}
