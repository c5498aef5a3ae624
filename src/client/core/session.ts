// (6) One connection from its opening to its close: hello, welcome, subscribe, resume, then messages. It
// decides by what comes in and when; the edge owns the socket.

import type { ClientOut, Welcome } from '../../protocol/client-frames.ts';
import { CLIENT_PROTOCOL } from '../../protocol/client-frames.ts';
import { decodeClientOut } from '../../protocol/client-out-frames.ts';
import type { LookupPick } from '../../protocol/lookup.ts';
import { TICKET_PROTOCOL_PREFIX } from '../../protocol/ticket.ts';
import type { LifeVerdict } from './life-signs.ts';
import { LifeSigns } from './life-signs.ts';
import type { Pace } from './pace.ts';
import { createPace } from './pace.ts';
import type { Publications, Unsent } from './publications.ts';
import { createPublications } from './publications.ts';
import type { PublishProblem } from './publish-error.ts';
import type { Session, SessionParts, SessionPhase } from './session-port.ts';
import type { Stream } from './stream.ts';
import { createStream } from './stream.ts';
import type { TopicDesk } from './topic-desk.ts';
import { createTopicDesk } from './topic-desk.ts';

const RESUBSCRIBE_MS = 1_000;
const encoder = new TextEncoder();
const OWN_CAPS = ['gap', 'move'];

export class GatewaySession implements Session {
  readonly link: number;
  readonly pick: LookupPick;
  readonly #parts: SessionParts;
  readonly #life = new LifeSigns();
  readonly #pace: Pace;
  readonly #stream: Stream;
  readonly #topics: TopicDesk;
  readonly #publications: Publications;
  #phase: SessionPhase = 'opening';
  #welcome: Welcome | undefined;
  #liveSinceMs: number | undefined;
  /** Of the questions asked on this connection. */
  #lastId = 0;

  constructor(parts: SessionParts) {
    const { link, pick, book, out, emit, predecessorDelivers } = parts;
    this.link = link;
    this.pick = pick;
    this.#parts = parts;
    this.#pace = createPace((afterMs) => out({ do: 'timer', name: `pace:${link}`, afterMs }));
    const nextId = (): number => (this.#lastId += 1);
    const stream = createStream(book, emit);
    this.#stream = stream;
    this.#topics = createTopicDesk({
      book,
      stream,
      emit,
      mayAsk: () => this.#pace.isOpen(),
      maxFrameBytes: () => this.#maxFrameBytes(),
      nextId,
      send: (frame) => this.#send(frame),
      predecessorDelivers,
      onPostponed: () => out({ do: 'timer', name: 'resubscribe', afterMs: RESUBSCRIBE_MS }),
    });
    this.#publications = createPublications(nextId, (publish, problem) =>
      out({ do: 'settle', publish, ...(problem !== undefined && { problem }) }),
    );
  }

  phase(): SessionPhase {
    return this.#phase;
  }

  conn(): string {
    return this.#welcome?.conn ?? '';
  }

  livedMs(nowMs: number): number {
    return nowMs - (this.#liveSinceMs ?? nowMs);
  }

  caps(): readonly string[] {
    return this.#welcome?.caps ?? [];
  }

  open(nowMs: number): void {
    const { ticket, url } = this.pick;
    const shown = ticket === '' ? [] : [`${TICKET_PROTOCOL_PREFIX}${ticket}`];
    this.#parts.out({ do: 'open', link: this.link, url, protocols: [CLIENT_PROTOCOL, ...shown] });
    this.#obey(this.#life.begin(nowMs));
  }

  opened(nowMs: number): void {
    if (this.#phase !== 'opening') return;
    this.#phase = 'greeting';
    this.#life.heard(nowMs);
    const { caps, token } = this.#parts;
    this.#send({ op: 'hello', v: 1, caps: [...OWN_CAPS, ...caps], ...(token !== undefined && { token }) });
  }

  received(text: string, nowMs: number): void {
    if (this.#phase === 'closed') return;
    this.#life.heard(nowMs);
    const frame = decodeClientOut(text);
    // A frame that cannot be read is dropped like an op that is not known: a newer gateway may send both.
    if (frame.ok && frame.value) this.#take(frame.value);
    else if (frame.ok && this.#hasOwnCaps()) {
      this.#parts.emit({ name: 'frame', detail: JSON.parse(text) as { op: string } });
    }
    this.#goLiveIfReady(nowMs);
  }

  checked(nowMs: number): void {
    if (this.#phase !== 'closed') this.#obey(this.#life.look(nowMs));
  }

  woken(nowMs: number): void {
    const verdict = this.#phase === 'live' && this.#pace.isOpen() ? this.#life.woken(nowMs) : undefined;
    if (verdict) this.#obey(verdict);
  }

  paced(): void {
    this.#pace.tick();
    this.sendWaiting();
  }

  subscribe(names: readonly string[]): void {
    if (this.#isOpen()) this.#topics.request('sub', names);
  }

  unsubscribe(names: readonly string[]): void {
    if (this.#isOpen()) this.#topics.request('unsub', names);
  }

  resubscribe(): void {
    if (this.#isOpen()) this.#topics.askAgain();
  }

  publish(publish: number, topic: string, data: unknown): void {
    this.#publications.add(publish, topic, data, this.#maxFrameBytes());
    this.sendWaiting();
  }

  sendWaiting(): void {
    if (!this.#isOpen()) return;
    this.#topics.ask();
    while (this.#pace.isOpen() && this.#parts.mayPublish()) {
      const text = this.#publications.next(this.#topics.open());
      if (text === undefined) return;
      this.#transmit(text);
    }
  }

  isPublishing(): boolean {
    return this.#publications.unanswered() > 0;
  }

  takeUnsent(): Unsent[] {
    return this.#publications.takeUnsent();
  }

  adopt(waiting: readonly Unsent[]): void {
    this.#publications.adopt(waiting, this.#maxFrameBytes());
    this.sendWaiting();
  }

  send(frame: object): boolean {
    const text = JSON.stringify(frame);
    const fits = encoder.encode(text).length <= this.#maxFrameBytes();
    // Beyond its limits the gateway would end the connection, and with it everything else.
    if (this.#phase !== 'live' || !this.#pace.isOpen() || !fits) return false;
    this.#transmit(text);
    return true;
  }

  progressed(topic: string): void {
    this.#stream.progressed(topic);
    this.#goLiveIfReady(this.#life.heardMs);
  }

  release(): void {
    this.#stream.release();
    this.#goLiveIfReady(this.#life.heardMs);
  }

  close(code: number, reason: string): void {
    if (this.#phase === 'closed') return;
    this.#parts.out({ do: 'close', link: this.link, code, reason });
    this.#end();
  }

  closed(): void {
    if (this.#phase !== 'closed') this.#end();
  }

  #isOpen(): boolean {
    return this.#phase === 'subscribing' || this.#phase === 'live';
  }

  #hasOwnCaps(): boolean {
    return this.#parts.caps.some((cap) => this.caps().includes(cap));
  }

  #maxFrameBytes(): number {
    return this.#welcome?.max.frame ?? 0;
  }

  #take(frame: ClientOut): void {
    switch (frame.op) {
      case 'welcome':
        this.#greeted(frame);
        return;
      case 'msg':
        this.#stream.message(frame);
        this.#parts.onProgress(frame.c);
        return;
      case 'gap':
        this.#stream.gap(frame);
        this.#parts.onProgress(frame.c);
        return;
      case 'ok':
        if (!this.#settled(frame.id)) this.#topics.answered(frame.id, frame.c ?? [], undefined);
        this.sendWaiting();
        return;
      case 'err':
        this.#refused(frame);
        return;
      case 'ping':
        this.#send({ op: 'pong' });
        return;
      case 'move':
        this.#parts.onMove(frame);
        return;
      case 'pong':
      case 'bye':
        return;
    }
  }

  #greeted(welcome: Welcome): void {
    if (this.#phase !== 'greeting') return;
    this.#phase = 'subscribing';
    this.#welcome = welcome;
    this.#pace.limit(welcome.max.perSec);
    this.#parts.onWelcome(welcome);
    this.#topics.request('sub', this.#parts.book.topics());
  }

  #refused(frame: Extract<ClientOut, { op: 'err' }>): void {
    const { id, code, msg: why } = frame;
    if (id === undefined) return;
    if (!this.#settled(id, { code, why })) this.#topics.answered(id, [], frame);
    this.sendWaiting();
  }

  /** Whether the answer is to a publication. */
  #settled(id: number, problem?: PublishProblem): boolean {
    const isPublication = this.#publications.answered(id, problem);
    if (isPublication) this.#parts.onPublished();
    return isPublication;
  }

  #goLiveIfReady(nowMs: number): void {
    if (this.#phase !== 'subscribing' || this.#stream.holding() || !this.#topics.isSubscribed()) return;
    this.#phase = 'live';
    this.#liveSinceMs = nowMs;
    this.#obey(this.#life.live(this.#welcome!.pingMs));
    this.#parts.onReady();
  }

  #obey(verdict: LifeVerdict): void {
    if (verdict.is === 'dead') {
      this.close(1000, verdict.why);
      this.#parts.onFailure(verdict.why);
      return;
    }
    if (verdict.is === 'ask') this.#send({ op: 'ping' });
    const afterMs = Math.max(1, verdict.againMs);
    this.#parts.out({ do: 'timer', name: `link:${this.link}`, afterMs });
  }

  #send(frame: object): void {
    this.#transmit(JSON.stringify(frame));
  }

  #transmit(text: string): void {
    this.#pace.spend();
    this.#parts.out({ do: 'send', link: this.link, text });
  }

  #end(): void {
    const { out } = this.#parts;
    this.#phase = 'closed';
    out({ do: 'timer', name: `link:${this.link}`, afterMs: undefined });
    out({ do: 'timer', name: `pace:${this.link}`, afterMs: undefined });
    this.#publications.end();
    this.#topics.end();
  }
}
