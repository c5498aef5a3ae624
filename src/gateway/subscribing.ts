// (8) Carries out `sub`: waits for the interest to be in force, finds what a returning client missed, and
// then, in one go that nothing can interrupt, answers, replays and joins the group. So `ok` tells the truth:
// the next message is above the offset it names.

import type { SubscribedItem, SubscribeItem } from '../protocol/client-frames.ts';
import { CLOSE } from '../protocol/close-codes.ts';
import type { Connection } from './connection.ts';
import type { FetchedHistory, ResumePoint } from './core/feed-port.ts';
import { seenBy } from './core/feed-port.ts';
import { joined } from './core/group.ts';
import { gapFrame } from './core/hub.ts';
import { encodeMessage } from './core/message-frame.ts';
import { admitOne } from './core/rate-limit.ts';
import type { ResumeLimits, ResumePlan } from './core/resume.ts';
import { planResume, replayFetched } from './core/resume.ts';
import type { Topic } from './core/topic.ts';
import type { GatewayParts } from './gateway-parts.ts';

/** Subscribe frames of one client that may wait for the brokers at the same time. */
const MAX_WAITING = 32;
/** Topics of one frame that are fetched side by side: with all at once, a few clients would hold up the others. */
const FETCHES_AT_ONCE = 8;

export class Subscribing {
  readonly #parts: GatewayParts;
  /** One question to the brokers serves every client that asks it meanwhile: resumes come in crowds. */
  readonly #fetches = new Map<string, Promise<FetchedHistory>>();

  constructor(parts: GatewayParts) {
    this.#parts = parts;
  }

  /** Runs `sub` and `unsub` of one client in the order they came. */
  inOrder(connection: Connection, run: () => Promise<void> | undefined): void {
    if (!connection.work) {
      const work = run();
      if (work) this.#follow(connection, work);
      return;
    }
    connection.waitingWork += 1;
    if (connection.waitingWork > MAX_WAITING) {
      connection.close(CLOSE.rateLimited, 'too many subscribe frames at once');
      return;
    }
    const next = connection.work.then(() => {
      connection.waitingWork -= 1;
      return connection.state === 'open' ? run() : undefined;
    });
    this.#follow(connection, next);
  }

  #follow(connection: Connection, work: Promise<void>): void {
    connection.work = work;
    void work.then(() => {
      if (connection.work === work) connection.work = undefined;
    });
  }

  /** Undefined when it was done at once. */
  subscribe(connection: Connection, id: number, items: readonly SubscribeItem[]): Promise<void> | undefined {
    const { hub } = this.#parts;
    const refused: SubscribedItem[] = [];
    const wanted = new Map<Topic, SubscribeItem>();
    const has = connection.group?.topics ?? [];
    let count = has.length;
    for (const item of items) {
      const known = hub.find(item.c);
      const isNew = known === undefined || (!has.includes(known) && !wanted.has(known));
      const err = this.#whyNot(connection, known, isNew ? count : 0, isNew || item.from !== undefined);
      if (err) {
        refused.push({ c: item.c, e: '', o: 0, err });
        continue;
      }
      if (isNew) count += 1;
      const topic = known ?? this.#open(item.c);
      if (!wanted.has(topic)) hub.use(topic);
      wanted.set(topic, item);
    }
    const openings = [...wanted.keys()].flatMap((topic) => topic.opening ?? []);
    if (openings.length === 0 && ![...wanted].some(([topic, item]) => this.#mustAsk(topic, item))) {
      return this.#finish(connection, id, wanted, refused, new Map());
    }
    return this.#subscribeLater(connection, id, wanted, refused, openings);
  }

  async #subscribeLater(
    connection: Connection,
    id: number,
    wanted: Map<Topic, SubscribeItem>,
    refused: SubscribedItem[],
    openings: Promise<void>[],
  ): Promise<void> {
    await Promise.all(openings);
    const fetched = new Map<Topic, FetchedHistory>();
    const waiting = [...wanted];
    const next = async (): Promise<void> => {
      for (let one = waiting.pop(); one; one = waiting.pop()) {
        const [topic, item] = one;
        const history = await this.#ask(topic, item);
        if (history) fetched.set(topic, history);
      }
    };
    await Promise.all(Array.from({ length: FETCHES_AT_ONCE }, next));
    await this.#finish(connection, id, wanted, refused, fetched);
  }

  /** Why a topic is refused: `others` = those of the client before it, where it would be one more. */
  #whyNot(
    connection: Connection,
    known: Topic | undefined,
    others: number,
    costsQuestions: boolean,
  ): SubscribedItem['err'] {
    const { maxTopics, maxGatewayTopics, newTopicsPerSec } = this.#parts.config;
    if (others >= maxTopics) return { code: CLOSE.tooManyTopics, msg: `at most ${maxTopics} topics` };
    if (known === undefined && this.#parts.hub.topicCount >= maxGatewayTopics) {
      return { code: CLOSE.rateLimited, msg: `this gateway has ${maxGatewayTopics} topics already` };
    }
    if (!costsQuestions || this.#mayHaveNew(connection)) return undefined;
    return { code: CLOSE.rateLimited, msg: `more than ${newTopicsPerSec} new topics a second` };
  }

  /**
   * A topic that is new here costs a question to the brokers and lingers after its client has left; a resume costs
   * several questions, each time. The burst is as many topics as a client may have, since it brings them all when it
   * reconnects.
   */
  #mayHaveNew(connection: Connection): boolean {
    const { clock, config } = this.#parts;
    const nowMs = clock.nowMs();
    connection.topicRate ??= { allowance: config.maxTopics, updatedMs: nowMs };
    return admitOne(connection.topicRate, config.newTopicsPerSec, config.maxTopics, nowMs);
  }

  #open(name: string): Topic {
    const { hub, link } = this.#parts;
    const topic = hub.topic(name);
    topic.opening = link.subscribe(name).then((head) => hub.opened(topic, head, this.#parts.clock.nowMs()));
    return topic;
  }

  #mustAsk(topic: Topic, item: SubscribeItem): boolean {
    const how = this.#howToResume(topic, positionOf(item));
    return how === 'fetch' || (how === 'refuse' && beforeNewest(topic) !== undefined);
  }

  /** All since the client's position; where that cannot be had the newest message, which is kept here. */
  async #ask(topic: Topic, item: SubscribeItem): Promise<FetchedHistory | undefined> {
    const from = positionOf(item);
    const isDue = from && this.#howToResume(topic, from) === 'fetch';
    const history = isDue ? await this.#fetch(topic, from) : undefined;
    const before = history?.complete === true ? undefined : beforeNewest(topic);
    if (before) this.#keepNewest(topic, await this.#fetch(topic, before));
    return history;
  }

  #howToResume(topic: Topic, from: ResumePoint | undefined): ResumePlan['how'] {
    return from ? this.#plan(topic, from, this.#limits()).how : 'refuse';
  }

  #plan(topic: Topic, from: ResumePoint, limits: ResumeLimits): ResumePlan {
    return planResume(topic, from, limits, this.#parts.clock.nowMs(), this.#parts.allocate);
  }

  #fetch(topic: Topic, from: ResumePoint): Promise<FetchedHistory> {
    const key = [topic.name, ...[...seenBy(from)].flat()].join(' ');
    const known = this.#fetches.get(key);
    if (known) return known;
    const asked = this.#parts.link.fetchSince(topic.name, from, this.#limits());
    this.#fetches.set(key, asked);
    void asked.then(() => this.#fetches.delete(key));
    return asked;
  }

  #limits(): ResumeLimits {
    const { resumeMessages, resumeBytes } = this.#parts.config;
    return { maxMessages: resumeMessages, maxBytes: resumeBytes };
  }

  /**
   * Answers, replays and joins the group before it returns, so that no message can slip in between. The promise settles
   * when the client has read the replay; its next `sub` waits for that, so that no client is owed two replays.
   */
  #finish(
    connection: Connection,
    id: number,
    wanted: Map<Topic, SubscribeItem>,
    refused: readonly SubscribedItem[],
    fetched: Map<Topic, FetchedHistory>,
  ): Promise<void> | undefined {
    const { hub, allocate, clock } = this.#parts;
    let taken: Promise<void> | undefined;
    if (connection.state === 'open') {
      hub.catchUp(connection);
      const replay = new Replay();
      const told = [...wanted].map(([topic, item]) => this.#answer(connection, topic, item, fetched, replay));
      connection.send({ op: 'ok', id, c: [...told, ...refused] });
      const { frames } = replay;
      if (frames.length > 0) {
        taken = connection.sendReplay(joined(frames, allocate), frames.length);
        hub.ledger.replayed += frames.length;
      }
      hub.subscribe(connection, [...wanted.keys()]);
    }
    for (const topic of wanted.keys()) hub.release(topic, clock.nowMs());
    return taken;
  }

  /** One item of `ok`; what follows it on the wire is added to `replay`. */
  #answer(
    connection: Connection,
    topic: Topic,
    item: SubscribeItem,
    fetched: Map<Topic, FetchedHistory>,
    replay: Replay,
  ): SubscribedItem {
    const { epoch, offset } = topic.position;
    const from = positionOf(item);
    if (from === undefined) {
      const last = topic.sendsLast ? topic.history.last() : undefined;
      if (last === undefined) return { c: topic.name, e: epoch, o: offset };
      replay.add(last);
      return { c: topic.name, e: epoch, o: offset - 1 };
    }
    const frames = this.#missed(topic, from, fetched.get(topic), replay.bytes);
    if (frames) {
      for (const frame of frames) replay.add(frame);
      // The client may know another epoch than the other subscribers: the next message names it.
      topic.announceEpoch = true;
      return { c: topic.name, e: from.epoch, o: from.offset, rec: true };
    }
    this.#keepNewest(topic, fetched.get(topic));
    const hasNewest = from.epoch === epoch && from.offset >= offset;
    const last = topic.sendsLast && !hasNewest ? topic.history.last() : undefined;
    const start = last ? offset - 1 : offset;
    if (connection.has('gap')) {
      // A client that is ahead of the topic has missed nothing that could be counted.
      const lost = from.epoch === epoch ? Math.max(0, start - from.offset) : 0;
      const why = lost > 0 ? 'trimmed' : 'unknown';
      replay.add(
        gapFrame(topic.name, epoch, lost > 0 ? from.offset + 1 : 0, lost, why, this.#parts.allocate),
      );
      this.#parts.hub.ledger.gapMessages += lost;
    }
    if (last) replay.add(last);
    return { c: topic.name, e: epoch, o: start, rec: false };
  }

  /** The newest message of a topic whose subscribers get it at once, when nobody here has seen it yet. */
  #keepNewest(topic: Topic, fetched: FetchedHistory | undefined): void {
    const newest = fetched?.complete === true ? fetched.messages.at(-1) : undefined;
    const { epoch, offset } = topic.position;
    // It may have gone on since they were asked.
    if (!beforeNewest(topic) || newest?.epoch !== epoch || newest.offset !== offset) return;
    const frame = encodeMessage(topic.prefix, '', offset, newest.data, this.#parts.allocate);
    topic.history.push(epoch, offset, frame, -Infinity);
  }

  #missed(
    topic: Topic,
    from: ResumePoint,
    fetched: FetchedHistory | undefined,
    usedBytes: number,
  ): readonly Uint8Array[] | undefined {
    // One budget for the whole frame: a client with many topics must not be drowned by its own resume.
    const { maxMessages, maxBytes } = this.#limits();
    const limits = { maxMessages, maxBytes: Math.max(0, maxBytes - usedBytes) };
    const plan = this.#plan(topic, from, limits);
    if (plan.how === 'replay') return plan.frames;
    if (!fetched) return undefined;
    const { clock, allocate } = this.#parts;
    return replayFetched(topic, from, fetched, limits, clock.nowMs(), allocate);
  }
}

/** What follows one `ok` on the wire. */
class Replay {
  readonly frames: Uint8Array[] = [];
  bytes = 0;

  add(frame: Uint8Array): void {
    this.frames.push(frame);
    this.bytes += frame.length;
  }
}

/** What the newest message follows, for a topic whose subscribers get it at once, when nobody here has seen it yet. */
function beforeNewest({ sendsLast, position, history }: Topic): ResumePoint | undefined {
  const { epoch, offset } = position;
  return sendsLast && offset > 0 && history.messages === 0 ? { epoch, offset: offset - 1 } : undefined;
}

function positionOf({ from }: SubscribeItem): ResumePoint | undefined {
  if (!from) return undefined;
  const also = from.also?.map(({ e, o }) => ({ epoch: e, offset: o }));
  return { epoch: from.e, offset: from.o, ...(also && { also }) };
}
