// (8) The topics a gateway wants, where each stands, and what of the brokers' messages is for it: each message
// once, in order within its epoch, with a gap where the offsets jump.

import { BUCKET_COUNT, bucketOf } from '../../protocol/bucket.ts';
import { MESSAGE_FLAG } from '../../protocol/publication.ts';
import type { SequencedMessage } from '../../protocol/publication-envelope.ts';
import { SenderWindows, SequenceWindow } from '../../protocol/sequence-window.ts';
import type { DeliveredMessage, FeedEvents, FeedGap, FeedSnapshot, TopicPosition } from './feed-port.ts';
import { PassedBy } from './passed-by.ts';

type FeedCounts = Pick<
  FeedSnapshot,
  'received' | 'delivered' | 'notSubscribed' | 'duplicates' | 'canaries' | 'gaps' | 'lost'
>;

interface TopicState {
  bucket: number;
  /** When it was added. It missed nothing of an epoch that began later and was heard from its first message on. */
  sinceMs: number;
  /** Messages that had come to this gateway by then, of any topic. */
  sinceArrival: number;
  /** Empty until a message or the topic's head has come. */
  epoch: string;
  offset: number;
  /**
   * Where it stood in earlier epochs, the latest last. Two brokers may carry a topic for a moment while its owner
   * changes, and messages of a dead broker are repaired after another has taken over, or even handed back.
   */
  earlier: TopicPosition[];
}

const EPOCHS_REMEMBERED = 6;
/** Epochs remembered for a bucket that was heard from their first message on. */
const MAX_BEGINNINGS = 16;

const MAX_SENDERS = 16_384;

export class FeedTopics {
  readonly #events: FeedEvents;
  readonly #topics = new Map<string, TopicState>();
  readonly #ofBucket = Array.from({ length: BUCKET_COUNT }, () => new Set<string>());
  readonly #sinceMs = new Array<number | undefined>(BUCKET_COUNT);
  readonly #beganMs = Array.from({ length: BUCKET_COUNT }, () => new Map<string, number>());
  readonly #passedBy = new PassedBy();
  /** Sent again: their first copies may wait in a frozen broker for longer than the windows reach back. */
  readonly #resent = new PassedBy();
  readonly #senders = new SenderWindows(MAX_SENDERS, () => ({
    number: this.#passedBy.nextSender(),
    seen: new SequenceWindow(),
  }));
  readonly #onCanary: (probe: SequencedMessage) => void;
  readonly #onTraced: (message: SequencedMessage, epoch: string) => void;
  readonly counts: FeedCounts = {
    received: 0,
    delivered: 0,
    notSubscribed: 0,
    duplicates: 0,
    canaries: 0,
    gaps: 0,
    lost: 0,
  };

  /** `onTraced` hears of a traced message once it was handed on. */
  constructor(
    events: FeedEvents,
    onCanary: (probe: SequencedMessage) => void,
    onTraced: (message: SequencedMessage, epoch: string) => void = () => {},
  ) {
    this.#events = events;
    this.#onCanary = onCanary;
    this.#onTraced = onTraced;
  }

  get size(): number {
    return this.#topics.size;
  }

  /** Buckets with any topic. */
  interestedBuckets(): number[] {
    return this.#ofBucket.flatMap((topics, bucket) => (topics.size > 0 ? [bucket] : []));
  }

  interestSince(bucket: number): number | undefined {
    return this.#sinceMs[bucket];
  }

  /** True when the topic is the first of its bucket. */
  add(topic: string, nowMs: number): boolean {
    if (this.#topics.has(topic)) return false;
    const bucket = bucketOf(topic);
    const sinceArrival = this.counts.received;
    this.#topics.set(topic, { bucket, sinceMs: nowMs, sinceArrival, epoch: '', offset: 0, earlier: [] });
    const topics = this.#ofBucket[bucket]!.add(topic);
    if (topics.size > 1) return false;
    this.#sinceMs[bucket] = nowMs;
    return true;
  }

  /** True when the topic was the last of its bucket. */
  remove(topic: string): boolean {
    const state = this.#topics.get(topic);
    if (!state) return false;
    this.#topics.delete(topic);
    const topics = this.#ofBucket[state.bucket]!;
    topics.delete(topic);
    if (topics.size > 0) return false;
    this.#sinceMs[state.bucket] = undefined;
    return true;
  }

  topicsOf(bucket: number): ReadonlySet<string> {
    return this.#ofBucket[bucket]!;
  }

  /** The owner said where a topic stands: what comes from here on must be without a hole. */
  noteHead(topic: string, { epoch, offset }: TopicPosition): void {
    const state = this.#topics.get(topic);
    if (state?.epoch !== '') return;
    state.epoch = epoch;
    state.offset = offset;
  }

  /** The bucket is heard from the first message of an epoch that began at `beganMs`: what is missing of it is lost. */
  heardFromStart(bucket: number, epoch: string, beganMs: number): void {
    const beginnings = this.#beganMs[bucket]!;
    if (beginnings.has(epoch)) return;
    beginnings.set(epoch, beganMs);
    if (beginnings.size <= MAX_BEGINNINGS) return;
    const [oldest] = beginnings.keys();
    beginnings.delete(oldest!);
  }

  /** Messages of one bucket in order. `resentNew` hears of messages a dead broker had not delivered. */
  deliver(
    epoch: string,
    messages: readonly SequencedMessage[],
    resentNew: (message: SequencedMessage) => void,
  ): void {
    const { counts } = this;
    counts.received += messages.length;
    const arrival = counts.received;
    let batch: DeliveredMessage[] = [];
    let traced: SequencedMessage[] | undefined;
    let lastPublisher = '';
    let sender: { number: number; seen: SequenceWindow } | undefined;
    for (const message of messages) {
      const { publisher } = message.source;
      if (sender === undefined || publisher !== lastPublisher) {
        sender = this.#senders.of(publisher);
        lastPublisher = publisher;
      }
      const { sequence, offset } = message;
      const sighting = sender.seen.mark(sequence);
      const known = sighting === 'seen' || (sighting === 'old' && this.#resent.has(sender.number, sequence));
      if (!known) {
        if (message.flags & MESSAGE_FLAG.acked) resentNew(message);
        if (message.flags & MESSAGE_FLAG.resent)
          this.#resent.note(sender.number, sequence, epoch, offset, arrival);
        this.#passedBy.note(sender.number, sequence, epoch, offset, arrival);
      }
      if (message.flags & MESSAGE_FLAG.canary) this.#onCanary(message);
      const state = this.#topics.get(message.topic);
      if (!state) {
        if (message.flags & MESSAGE_FLAG.canary) counts.canaries += 1;
        else counts.notSubscribed += 1;
        continue;
      }
      const gap = this.#advance(state, epoch, message);
      // Also before one that another broker carried: what is missing may have come that way too, or not.
      if (gap && gap !== 'behind') {
        this.#hand(batch);
        batch = [];
        this.#tellGap(gap);
      }
      // Its first copy passed before the topic was wanted, or wanted again. Under that one's position, whoever has had it
      // can tell.
      const place = known
        ? this.#passedBy.take(sender.number, sequence, state.sinceArrival, arrival)
        : { epoch, offset };
      if (gap === 'behind' || place === undefined) {
        counts.duplicates += 1;
        continue;
      }
      const { topic, data, publishedAtMs } = message;
      batch.push({ topic, ...place, data, publishedAtMs });
      if (message.flags & MESSAGE_FLAG.traced) (traced ??= []).push(message);
    }
    this.#hand(batch);
    if (traced) for (const message of traced) this.#onTraced(message, epoch);
  }

  /** The topic's head, as asked after a loss in its bucket. Its messages have arrived by now, so what is missing is lost. */
  settleHead(topic: string, epoch: string, headOffset: number): void {
    const state = this.#topics.get(topic);
    if (!state) return;
    // Its owner may have changed meanwhile, and then an earlier epoch lacks messages.
    let at = state.epoch === epoch ? state : state.earlier.find((one) => one.epoch === epoch);
    if (!at && this.#missesAllOf(epoch, state)) {
      at = { epoch, offset: 0 };
      this.#remember(state, at);
    }
    if (!at || headOffset <= at.offset) return;
    const { offset } = at;
    at.offset = headOffset;
    this.#tellGap({ topic, epoch, fromOffset: offset + 1, count: headOffset - offset, why: 'trimmed' });
  }

  /** Some of these topics lost messages; which, and how many, nobody knows. */
  tellUncounted(names: Iterable<string>, epoch: string): void {
    for (const topic of names) {
      if (this.#topics.has(topic)) {
        this.#tellGap({ topic, epoch, fromOffset: 0, count: 0, why: 'broker-lost' });
      }
    }
  }

  /** Moves a topic to a message's place; answers the gap before it, or `behind` when it was passed already. */
  #advance(state: TopicState, epoch: string, message: SequencedMessage): FeedGap | 'behind' | undefined {
    if (state.epoch !== epoch) {
      const known = state.earlier.findIndex((one) => one.epoch === epoch);
      const [back] = known < 0 ? [] : state.earlier.splice(known, 1);
      const start = back?.offset ?? (this.#missesAllOf(epoch, state) ? 0 : message.offset - 1);
      if (state.epoch !== '') this.#remember(state, { epoch: state.epoch, offset: state.offset });
      state.epoch = epoch;
      state.offset = start;
    }
    if (message.offset <= state.offset) return 'behind';
    const fromOffset = state.offset + 1;
    state.offset = message.offset;
    const count = message.offset - fromOffset;
    if (count === 0 || message.flags & MESSAGE_FLAG.renumbered) return undefined;
    return { topic: message.topic, epoch, fromOffset, count, why: 'trimmed' };
  }

  /** Whether a topic that has had nothing of an epoch would have had its first message, had it not been lost. */
  #missesAllOf(epoch: string, { bucket, sinceMs }: TopicState): boolean {
    return sinceMs < (this.#beganMs[bucket]!.get(epoch) ?? -Infinity);
  }

  #remember(state: TopicState, position: TopicPosition): void {
    state.earlier.push(position);
    if (state.earlier.length <= EPOCHS_REMEMBERED) return;
    const forgotten = state.earlier.shift()!;
    // From now on nothing tells whether the topic has had messages of that epoch or of older ones.
    const beganMs = this.#beganMs[state.bucket]!.get(forgotten.epoch) ?? -Infinity;
    state.sinceMs = Math.max(state.sinceMs, beganMs);
  }

  #tellGap(gap: FeedGap): void {
    this.counts.gaps += 1;
    this.#events.onGap(gap);
  }

  #hand(batch: DeliveredMessage[]): void {
    if (batch.length === 0) return;
    this.counts.delivered += batch.length;
    this.#events.onMessages(batch);
  }
}
