// (6) The client as one pure machine: events go in with the time they happened, effects come out. It holds at
// most two connections, the one in use and the one that shall replace it, and at most one acquisition; this file says
// what becomes of a connection that opens or takes over, and losses.ts of one that is lost.

import type { Position, Welcome } from '../../protocol/client-frames.ts';
import type { LookupPick } from '../../protocol/lookup.ts';
import { Acquirer } from './acquirer.ts';
import type { ClientEvent, ClientState } from './client-events.ts';
import type { ConnectionPair } from './connection-pair.ts';
import { createConnectionPair } from './connection-pair.ts';
import type { Ended } from './client-state.ts';
import { stateOf } from './client-state.ts';
import type { TimerName } from './effects.ts';
import type { HeraldRota } from './herald-rota.ts';
import { createHeraldRota } from './herald-rota.ts';
import type { Losses } from './losses.ts';
import { createLosses } from './losses.ts';
import type { LookupAnswer } from './lookup-answer.ts';
import type { Machine, MachineParts } from './machine-port.ts';
import type { Moves } from './moves.ts';
import { createMoves } from './moves.ts';
import { GatewaySession } from './session.ts';
import type { Session } from './session-port.ts';
import type { TopicBook } from './topic-book.ts';
import { createTopicBook } from './topic-book.ts';

const BYE = '{"op":"bye"}';

export class ClientMachine implements Machine {
  readonly #parts: MachineParts;
  readonly #book: TopicBook;
  readonly #rota: HeraldRota;
  readonly #pair: ConnectionPair;
  readonly #acquirer: Acquirer;
  readonly #moves: Moves;
  readonly #losses: Losses;
  #lastLink = 0;
  /** The time of the event being handled, for what a session decides on its own in the middle of it. */
  #lastSeenMs = 0;
  #ended: Ended | undefined;
  #shown = '';

  /** Throws a TypeError for Herald URLs that cannot be one. */
  constructor(parts: MachineParts) {
    const { heralds, request, topics, out, random } = parts;
    this.#parts = parts;
    this.#book = createTopicBook();
    for (const { topic, from } of topics) this.#book.add(topic, from);
    const rota = createHeraldRota(heralds, random);
    this.#rota = rota;
    this.#pair = createConnectionPair(out, (session, old) => this.#tookOver(session, old));
    this.#acquirer = new Acquirer({
      ...{ request, rota, random, out },
      open: (pick, nowMs) => this.#open(pick, nowMs),
      onAbandoned: () => this.#abandonMove(),
      onHopeless: (status, detail) => this.#hopeless(status, detail),
      onChange: () => {
        if (this.#pair.current()?.phase() !== 'live') this.#showState();
      },
    });
    const [pair, acquirer] = [this.#pair, this.#acquirer];
    const showState = (): void => this.#showState();
    const moves = createMoves({ pair, acquirer, rota, random, out, onBegin: showState });
    this.#moves = moves;
    const stop = (code: number, reason: string): void => this.#stop(code, reason);
    this.#losses = createLosses({ pair, acquirer, moves, random, stop, showState });
  }

  state(): ClientState {
    return stateOf({
      ended: this.#ended,
      current: this.#pair.current(),
      isMoving: this.#moves.underWay(),
      acquirer: this.#acquirer,
    });
  }

  topics(): string[] {
    return this.#book.topics();
  }

  position(topic: string): Position | undefined {
    return this.#book.position(topic);
  }

  caps(): readonly string[] {
    return this.#pair.current()?.caps() ?? [];
  }

  start(nowMs: number): void {
    this.#acquirer.begin({ intent: 'connect' }, 0, 'start', nowMs);
  }

  lookedUp(ask: number, answer: LookupAnswer, nowMs: number): void {
    this.#lastSeenMs = nowMs;
    if (!this.#ended) this.#acquirer.lookedUp(ask, answer, nowMs);
  }

  socketOpened(link: number, nowMs: number): void {
    this.#lastSeenMs = nowMs;
    this.#pair.find(link)?.opened(nowMs);
  }

  socketReceived(link: number, text: string, nowMs: number): void {
    this.#lastSeenMs = nowMs;
    this.#pair.find(link)?.received(text, nowMs);
  }

  socketClosed(link: number, code: number, reason: string, nowMs: number): void {
    this.#lastSeenMs = nowMs;
    const session = this.#pair.find(link);
    if (!session || this.#ended) return;
    session.closed();
    this.#losses.lost(session, code, reason, nowMs);
  }

  timerFired(name: TimerName, nowMs: number): void {
    this.#lastSeenMs = nowMs;
    if (this.#ended) return;
    if (name === 'acquire') this.#acquirer.timerFired(nowMs);
    else if (name === 'move') this.#moves.go(nowMs);
    else if (name === 'handover') this.#pair.hasten();
    else if (name === 'resubscribe') for (const session of this.#pair.all()) session.resubscribe();
    else if (name.startsWith('pace:')) this.#pair.find(Number(name.slice('pace:'.length)))?.paced();
    else this.#pair.find(Number(name.slice('link:'.length)))?.checked(nowMs);
  }

  woken(nowMs: number): void {
    this.#lastSeenMs = nowMs;
    this.#acquirer.hurry();
    for (const session of this.#pair.all()) session.woken(nowMs);
  }

  subscribe(topics: readonly { topic: string; from?: Position }[]): void {
    const added = topics.filter(({ topic, from }) => this.#book.add(topic, from));
    if (added.length === 0) return;
    for (const session of this.#pair.all()) session.subscribe(added.map(({ topic }) => topic));
  }

  unsubscribe(topics: readonly string[]): void {
    const gone = topics.filter((topic) => this.#book.has(topic));
    if (gone.length === 0) return;
    for (const topic of gone) this.#book.remove(topic);
    for (const session of this.#pair.all()) session.unsubscribe(gone);
  }

  publish(publish: number, topic: string, data: unknown): boolean {
    const current = this.#pair.current();
    if (current?.phase() !== 'live') return false;
    current.publish(publish, topic, data);
    return true;
  }

  send(frame: object): boolean {
    return this.#pair.current()?.send(frame) ?? false;
  }

  close(): void {
    if (this.#ended) return;
    for (const session of this.#pair.all()) if (session.phase() === 'live') this.#sayBye(session);
    this.#shutDown(1000, 'closed by the program');
  }

  #open(pick: LookupPick, nowMs: number): void {
    const { token, caps, out } = this.#parts;
    const pair = this.#pair;
    this.#lastLink += 1;
    const session: Session = new GatewaySession({
      link: this.#lastLink,
      pick,
      token: token?.(),
      caps,
      book: this.#book,
      out,
      emit: (event) => this.#emit(event),
      predecessorDelivers: () => pair.precedes(session),
      onWelcome: (welcome) => this.#welcomed(welcome),
      mayPublish: () => pair.next()?.phase() !== 'live',
      onPublished: () => pair.takeOver(),
      onReady: () => pair.takeOver(),
      onMove: (order) => this.#moves.ordered(session, order),
      onProgress: (topic) => {
        if (session === pair.current()) pair.next()?.progressed(topic);
      },
      onFailure: (why) => this.#losses.lost(session, 1006, why, this.#lastSeenMs),
    });
    pair.prepare(session);
    this.#moves.forgetEarly();
    session.open(nowMs);
  }

  #welcomed(welcome: Welcome): void {
    this.#rota.learn(welcome.lookup);
    this.#pair.welcomed();
  }

  #tookOver(session: Session, old: Session | undefined): void {
    this.#moves.end();
    this.#acquirer.succeeded();
    this.#showState();
    if (old) this.#handOver(session, old);
    this.#moves.tookOver(session);
  }

  #handOver(session: Session, old: Session): void {
    session.adopt(old.takeUnsent());
    this.#acquirer.lasted(old.livedMs(this.#lastSeenMs));
    this.#sayBye(old);
    old.close(1000, 'moved');
    this.#emit({ name: 'moved', detail: { from: old.pick.gateway, to: session.pick.gateway } });
  }

  #hopeless(status: number, detail: string): void {
    if (this.#pair.current()) this.#abandonMove();
    else this.#stop(status, `lookup refused with ${status}${detail === '' ? '' : `: ${detail}`}`);
  }

  #abandonMove(): void {
    this.#moves.end();
    this.#showState();
  }

  #stop(code: number, reason: string): void {
    if (this.#ended) return;
    this.#shutDown(code, reason);
    this.#emit({ name: 'end', detail: { code, reason } });
  }

  #shutDown(code: number, reason: string): void {
    this.#ended = { code, reason };
    this.#acquirer.cancel();
    this.#moves.end();
    this.#parts.out({ do: 'timer', name: 'resubscribe', afterMs: undefined });
    this.#pair.close(reason);
    this.#showState();
  }

  #sayBye({ link }: Session): void {
    this.#parts.out({ do: 'send', link, text: BYE });
  }

  #showState(): void {
    const now = this.state();
    const text = JSON.stringify(now);
    if (text === this.#shown) return;
    this.#shown = text;
    this.#emit({ name: 'state', detail: now });
  }

  #emit(event: ClientEvent): void {
    this.#parts.out({ do: 'emit', event });
  }
}
