// (8) Topics, the groups that share them, and the way of a message from the feed into each group's log. Pure:
// the edge passes the time, performs the writes and owns the sockets.

import type { DeliveredMessage, FeedGap, TopicPosition } from './feed-port.ts';
import type { GroupMark, Subscriber } from './group.ts';
import { Group, VARIANT } from './group.ts';
import type { HistoryLimits } from './history.ts';
import { History } from './history.ts';
import { HistoryBudget } from './history-budget.ts';
import type { DropCause, Ledger } from './ledger.ts';
import { createLedger } from './ledger.ts';
import type { Deflate } from './message-frame.ts';
import { deflatedTwin, encodeMessage } from './message-frame.ts';
import type { Outbox } from './outbox.ts';
import type { Topic, TopicTraits } from './topic.ts';
import { createTopic } from './topic.ts';
import type { Allocate } from './ws-frame.ts';
import { jsonFrame } from './ws-frame.ts';

export interface HubParts {
  outbox: Outbox;
  /** Latency class and last-value behaviour of a topic, by its name. */
  traitsOf: (topic: string) => TopicTraits;
  history: HistoryLimits;
  historyBudgetBytes: number;
  deflate: Deflate;
  /** Payloads below this are not worth compressing. */
  deflateFromBytes: number;
  allocate: Allocate;
}

/** Up to this many topics without users are kept for the configured time; with more, each is kept for less of it. */
const MOST_IDLE = 50_000;

export class Hub {
  readonly ledger: Ledger = createLedger();
  readonly #parts: HubParts;
  readonly #budget: HistoryBudget;
  readonly #topics = new Map<string, Topic>();
  readonly #groups = new Map<string, Group>();
  #nextTopicId = 1;
  #subscriptions = 0;
  /** Topics without users, as of the last sweep. */
  #idle = 0;
  /** Off while the process is short of CPU. */
  compressing = true;

  constructor(parts: HubParts) {
    this.#parts = parts;
    this.#budget = new HistoryBudget(parts.historyBudgetBytes);
  }

  get subscriptions(): number {
    return this.#subscriptions;
  }

  get topicCount(): number {
    return this.#topics.size;
  }

  get groupCount(): number {
    return this.#groups.size;
  }

  get historyBytes(): number {
    return this.#budget.usedBytes;
  }

  find(name: string): Topic | undefined {
    return this.#topics.get(name);
  }

  /** The topic, made when it is new; the caller sees to its interest (`opening`). */
  topic(name: string): Topic {
    const known = this.#topics.get(name);
    if (known) return known;
    const traits = this.#parts.traitsOf(name);
    const limits = traits.sendsLast ? { ...this.#parts.history, keepsNewest: true } : this.#parts.history;
    const made = createTopic(this.#nextTopicId++, name, traits, new History(limits, this.#budget));
    this.#topics.set(name, made);
    return made;
  }

  use(topic: Topic): void {
    topic.users += 1;
    topic.idleSinceMs = undefined;
  }

  release(topic: Topic, nowMs: number): void {
    topic.users -= 1;
    if (topic.users === 0) topic.idleSinceMs = nowMs;
  }

  /** The interest is in force and the brokers named the topic's head. */
  opened(topic: Topic, head: TopicPosition, nowMs: number): void {
    topic.opening = undefined;
    topic.openedAt = head;
    topic.openedMs = nowMs;
    // The first message that comes here may be replayed behind those of another epoch.
    topic.announceEpoch = true;
    const { position, history } = topic;
    const passedHead =
      history.messages > 0 && (position.epoch !== head.epoch || position.offset >= head.offset);
    if (passedHead) {
      // Messages that came before the interest was in force may have holes between them.
      history.restartAfter(head);
      return;
    }
    topic.position = { epoch: head.epoch, offset: head.offset };
    history.restart(topic.position);
  }

  subscribe(subscriber: Subscriber, topics: readonly Topic[]): void {
    const before = subscriber.group?.topics ?? [];
    const added = topics.filter((topic) => !before.includes(topic));
    this.#move(subscriber, [...before, ...added]);
    for (const topic of added) this.use(topic);
    this.#subscriptions += added.length;
  }

  unsubscribe(subscriber: Subscriber, names: readonly string[], nowMs: number): void {
    const before = subscriber.group?.topics ?? [];
    const gone = before.filter((topic) => names.includes(topic.name));
    if (gone.length === 0) return;
    this.#move(
      subscriber,
      before.filter((topic) => !gone.includes(topic)),
    );
    for (const topic of gone) this.release(topic, nowMs);
    this.#subscriptions -= gone.length;
  }

  /** The client is gone; what it was owed is booked as dropped. */
  drop(subscriber: Subscriber, cause: DropCause, nowMs: number): void {
    const { group } = subscriber;
    if (!group) return;
    const frames = group.remove(subscriber);
    this.ledger.dropped[cause] += frames;
    this.#forgetIfEmpty(group);
    for (const topic of group.topics) this.release(topic, nowMs);
    this.#subscriptions -= group.topics.length;
  }

  /** Gives one subscriber all that waits for it, so that what is written next comes after it. */
  catchUp(subscriber: Subscriber): void {
    if (subscriber.group) {
      const frames = subscriber.group.catchUp(subscriber, this.#parts.allocate);
      this.ledger.delivered += frames;
    }
  }

  /** Goes on with a round of the group for at most `count` members. True when it is done. */
  write(group: Group, count: number): boolean {
    // In two steps: a subscriber who cannot take its frames corrects the ledger while they are written.
    const frames = group.writeSome(count, this.#parts.allocate);
    this.ledger.delivered += frames;
    return !group.flushing;
  }

  #move(subscriber: Subscriber, topics: readonly Topic[]): void {
    this.catchUp(subscriber);
    const { group } = subscriber;
    if (group) {
      group.remove(subscriber);
      this.#forgetIfEmpty(group);
    }
    if (topics.length > 0) this.#groupFor(topics, subscriber.variant).add(subscriber);
  }

  #groupFor(topics: readonly Topic[], variant: number): Group {
    const sorted = topics.toSorted((a, b) => a.id - b.id);
    const key = `${variant}:${sorted.map((topic) => topic.id.toString(36)).join(',')}`;
    const known = this.#groups.get(key);
    if (known) return known;
    const made = new Group(key, sorted, variant);
    this.#groups.set(key, made);
    for (const topic of sorted) topic.groups.add(made);
    return made;
  }

  #forgetIfEmpty(group: Group): void {
    if (group.members.length > 0) return;
    this.#groups.delete(group.key);
    for (const topic of group.topics) topic.groups.delete(group);
  }

  message({ topic: name, epoch, offset, data }: DeliveredMessage, nowMs: number): void {
    const topic = this.#topics.get(name);
    if (!topic) return;
    // Still on its way here when the brokers named the head, above which those who waited for that are served.
    if (epoch === topic.openedAt.epoch && offset <= topic.openedAt.offset) return;
    const { allocate, outbox, deflate, deflateFromBytes } = this.#parts;
    const { ledger } = this;
    const newEpoch = topic.position.epoch !== epoch || topic.announceEpoch;
    const frame = encodeMessage(topic.prefix, newEpoch ? epoch : '', offset, data, allocate);
    topic.position = { epoch, offset };
    topic.announceEpoch = false;
    topic.history.push(epoch, offset, frame, nowMs);
    ledger.received += 1;
    if (topic.groups.size === 0) {
      ledger.unheard += 1;
      return;
    }
    let deflated: Uint8Array | undefined;
    const worthDeflating = this.compressing && data.length >= deflateFromBytes;
    for (const group of topic.groups) {
      if (worthDeflating && (group.variant & VARIANT.deflate) !== 0) {
        deflated ??= deflatedTwin(frame, deflate, allocate);
        group.append(deflated);
      } else {
        group.append(frame);
      }
      ledger.due += group.members.length;
      outbox.mark(group, topic.flushClass, nowMs);
    }
  }

  /** How far the groups of a topic have to be written until all that was appended so far is. */
  marksOf(name: string): { marks: GroupMark[]; subscribers: number } {
    const groups = [...(this.#topics.get(name)?.groups ?? [])];
    return {
      marks: groups.map((group) => ({ group, end: group.end })),
      subscribers: groups.reduce((sum, { members }) => sum + members.length, 0),
    };
  }

  /** Tells the loss to every subscriber that understands it, in its place between the messages. */
  gap({ topic: name, epoch, fromOffset, count, why }: FeedGap, nowMs: number): void {
    const topic = this.#topics.get(name);
    if (!topic) return;
    const { ledger } = this;
    const { position, history } = topic;
    const last = { epoch, offset: fromOffset + count - 1 };
    if (fromOffset > 0 && count > 0) {
      history.restartAfterLoss(last, nowMs);
      if (epoch === position.epoch && last.offset > position.offset) topic.position = last;
    } else {
      // Nothing that came before can be resumed from here.
      history.restartAfterHole(nowMs);
    }
    topic.announceEpoch = true;
    const frame = gapFrame(name, epoch, fromOffset, count, why, this.#parts.allocate);
    for (const group of topic.groups) {
      ledger.gapMessages += count * group.members.length;
      if ((group.variant & VARIANT.gap) === 0) continue;
      group.append(frame);
      ledger.due += group.members.length;
      ledger.gapFrames += group.members.length;
      this.#parts.outbox.mark(group, topic.flushClass, nowMs);
    }
  }

  /** Topics that nobody used for `lingerMs`: forgotten here; the caller ends the interest. Ages histories. */
  sweep(nowMs: number, lingerMs: number): string[] {
    const forgotten: string[] = [];
    const keptMs = lingerMs * Math.min(1, MOST_IDLE / this.#idle);
    this.#idle = 0;
    for (const topic of this.#topics.values()) {
      if (topic.users === 0) this.#idle += 1;
      if (topic.idleSinceMs !== undefined && topic.users === 0 && nowMs - topic.idleSinceMs > keptMs) {
        topic.history.clear();
        this.#topics.delete(topic.name);
        forgotten.push(topic.name);
      } else {
        topic.history.trim(nowMs);
      }
    }
    return forgotten;
  }
}

/** A `gap` frame; see docs/protocol.md. */
export function gapFrame(
  topic: string,
  epoch: string,
  fromOffset: number,
  count: number,
  why: string,
  allocate: Allocate,
): Uint8Array {
  return jsonFrame({ op: 'gap', c: topic, e: epoch, from: fromOffset, n: count, why }, allocate);
}
