// (7) One bucket's memory: the sequence of its messages, the offset of each of its topics and a bounded ring of
// what was forwarded, from which gateways repair holes and clients resume. Sequences and offsets count from
// 1 within the broker's epoch and are never given twice. The same memory keeps copies of another broker's bucket,
// under the numbers that one gave.

import { MESSAGE_FLAG, mostFrameBytesOf } from '../../protocol/publication.ts';
import type { Publication } from '../../protocol/publication.ts';
import type { Section, SequencedMessage } from '../../protocol/publication-envelope.ts';
import type { TopicAnswer, TopicQuery } from '../../protocol/publication-repair.ts';
import type { BucketStand } from './journal-records.ts';
import type { LoggedMessage } from './message-shelves.ts';
import { MESSAGE_OVERHEAD_BYTES, MessageShelves } from './message-shelves.ts';

interface TopicState {
  offset: number;
  lastSequence: number;
  ownOffset: number;
}

export interface AnswerLimits {
  maxMessages: number;
  /** Of JSON. */
  maxBytes: number;
  /** What is left of the frame. */
  roomBytes: number;
}

const EVICTION_TRIES = 8;
/** More than a resume may hold. */
const MAX_STEPS_BACK = 300;

export class BucketLog {
  readonly bucket: number;
  readonly #maxTopics: number;
  readonly #topics = new Map<string, TopicState>();
  /** Highest offset of any topic that was forgotten: a topic that comes back is numbered above it. */
  #forgottenOffset = 0;
  #ring = new MessageShelves(1);
  #head = 0;
  #bytes = 0;

  constructor(bucket: number, maxTopics: number) {
    this.bucket = bucket;
    this.#maxTopics = maxTopics;
  }

  get head(): number {
    return this.#head;
  }

  /** Sequence of the oldest held message; head + 1 when none is held. */
  get firstHeld(): number {
    return this.#ring.firstHeld;
  }

  get held(): number {
    return this.#ring.held;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get topics(): number {
    return this.#topics.size;
  }

  append(publication: Publication, nowMs: number): LoggedMessage {
    const known = this.#topics.get(publication.topic);
    const topic = known ?? this.#addTopic(publication.topic);
    const message: LoggedMessage = {
      topic: publication.topic,
      data: publication.data,
      source: publication.source,
      sequence: publication.sequence,
      flags: known || topic.offset === 0 ? publication.flags : publication.flags | MESSAGE_FLAG.renumbered,
      publishedAtMs: publication.publishedAtMs,
      offset: topic.offset + 1,
      bucketSequence: this.#head + 1,
      previousSequence: topic.lastSequence,
      arrivedMs: nowMs,
      ownOffset: 0,
    };
    topic.offset = message.offset;
    topic.lastSequence = message.bucketSequence;
    this.#head = message.bucketSequence;
    this.#ring.push(message);
    this.#bytes += message.data.length + MESSAGE_OVERHEAD_BYTES;
    return message;
  }

  /** Keeps a message under the numbers it has. Where one is missing before it, what was held goes. */
  copy(message: SequencedMessage, sequence: number, ownOffset: number, nowMs: number): void {
    if (sequence <= this.#head) return;
    if (sequence > this.#head + 1) this.skipTo(sequence);
    const topic = this.#topics.get(message.topic) ?? this.#addTopic(message.topic);
    this.#ring.push({
      ...message,
      bucketSequence: sequence,
      previousSequence: topic.lastSequence,
      arrivedMs: nowMs,
      ownOffset,
    });
    topic.offset = message.offset;
    topic.lastSequence = sequence;
    topic.ownOffset = ownOffset;
    this.#head = sequence;
    this.#bytes += message.data.length + MESSAGE_OVERHEAD_BYTES;
  }

  /** What is before `sequence` and did not come will not come: the memory begins anew there. */
  skipTo(sequence: number): void {
    if (sequence <= this.#head + 1) return;
    this.#ring = new MessageShelves(sequence);
    this.#bytes = 0;
    this.#head = sequence - 1;
  }

  get stand(): BucketStand {
    const topics = [...this.#topics].map(([topic, { offset }]) => ({ topic, offset }));
    return { bucket: this.bucket, head: this.#head, forgottenOffset: this.#forgottenOffset, topics };
  }

  /** Of a copy: what its bucket and topics reached, whether the messages came or not. */
  reach({ head, forgottenOffset, topics }: BucketStand): void {
    this.skipTo(head + 1);
    for (const { topic, offset } of topics) {
      const state = this.#topics.get(topic) ?? this.#addTopic(topic);
      state.offset = Math.max(state.offset, offset);
    }
    this.#forgottenOffset = Math.max(this.#forgottenOffset, forgottenOffset);
  }

  /** Where a topic stood at `ms`; 0 where more came since than anybody may resume. */
  offsetBefore(topic: string, ms: number): number {
    const state = this.#topics.get(topic);
    if (!state) return this.#forgottenOffset;
    let message = this.#ring.at(state.lastSequence);
    for (let step = 0; message && message.arrivedMs >= ms; step++) {
      if (step === MAX_STEPS_BACK) return 0;
      const before = this.#ring.at(message.previousSequence);
      if (!before) return message.offset - 1;
      message = before;
    }
    return message?.offset ?? state.offset;
  }

  /** Drops the oldest message. */
  dropOldest(): void {
    if (this.held > 0) this.#bytes -= this.#ring.shift() + MESSAGE_OVERHEAD_BYTES;
  }

  oldestArrivedMs(): number {
    return this.#ring.oldestArrivedMs();
  }

  /** Held messages from `fromSequence` to `toSequence`, as many as fit; never with a hole. */
  range(fromSequence: number, toSequence: number, maxMessages: number, maxBytes: number): Section {
    const first = Math.max(fromSequence, this.firstHeld);
    const last = Math.min(toSequence, this.#head, first + maxMessages - 1);
    const messages: LoggedMessage[] = [];
    let bytes = 0;
    for (let sequence = first; sequence <= last; sequence++) {
      const message = this.#ring.at(sequence)!;
      bytes += message.data.length + MESSAGE_OVERHEAD_BYTES;
      if (bytes > maxBytes && messages.length > 0) break;
      messages.push(message);
    }
    return { bucket: this.bucket, firstSequence: first, messages };
  }

  /** Answers for one topic of this bucket; `sameEpoch` says whether the query's epoch is this broker's. */
  history(query: TopicQuery, sameEpoch: boolean, limits: AnswerLimits): TopicAnswer {
    const { maxMessages, maxBytes, roomBytes } = limits;
    const state = this.#topics.get(query.topic);
    const headOffset = state?.offset ?? this.#forgottenOffset;
    const answer = (
      status: TopicAnswer['status'],
      messages: LoggedMessage[] = [],
      ownOffset = messages[0]?.ownOffset ?? state?.ownOffset ?? 0,
    ): TopicAnswer => ({ topic: query.topic, status, headOffset, ownOffset, messages });
    if (query.want === 'head') {
      if (query.epoch === '') return answer('complete');
      const ownOffset = this.#ownOffsetAt(state, query.afterOffset, maxMessages);
      return ownOffset === undefined ? answer('trimmed') : answer('complete', [], ownOffset);
    }
    const since = query.want === 'since';
    if (since && !sameEpoch) return answer('epoch-gone');
    if (since && query.afterOffset > headOffset) return answer('trimmed');
    if (since && query.afterOffset === headOffset) return answer('complete');

    const newestFirst: LoggedMessage[] = [];
    let bytes = 0;
    let frameBytes = 0;
    let message = this.#ring.at(state?.lastSequence ?? 0);
    while (message && !(since && message.offset <= query.afterOffset)) {
      bytes += message.data.length;
      frameBytes += mostFrameBytesOf(message);
      if (newestFirst.length >= maxMessages || bytes > maxBytes || frameBytes > roomBytes) {
        return since ? answer('over-limit') : answer('complete', newestFirst.reverse());
      }
      newestFirst.push(message);
      message = this.#ring.at(message.previousSequence);
    }
    const reached = newestFirst.at(-1)?.offset ?? headOffset + 1;
    if (since && reached !== query.afterOffset + 1) return answer('trimmed');
    // The message at the position itself, where it is still held: between it and the next much may have come here.
    return answer('complete', newestFirst.reverse(), message?.ownOffset);
  }

  /** Of a copy: where its topic stood in this broker's own epoch when it passed `offset`; undefined = not held. */
  #ownOffsetAt(state: TopicState | undefined, offset: number, maxSteps: number): number | undefined {
    if (offset === 0) return 0;
    if (!state || offset >= state.offset) return state?.ownOffset;
    let message = this.#ring.at(state.lastSequence);
    for (let step = 0; message && message.offset > offset; step++) {
      message = step < maxSteps ? this.#ring.at(message.previousSequence) : undefined;
    }
    return message?.ownOffset;
  }

  #addTopic(name: string): TopicState {
    if (this.#topics.size >= this.#maxTopics) this.#forgetOne();
    const state = { offset: this.#forgottenOffset, lastSequence: 0, ownOffset: 0 };
    this.#topics.set(name, state);
    return state;
  }

  /** Forgets a topic, the oldest whose messages have left the ring where the first few tries find one. */
  #forgetOne(): void {
    for (let tries = 1; ; tries++) {
      const [name, state] = this.#topics.entries().next().value!;
      this.#topics.delete(name);
      if (state.lastSequence < this.firstHeld || tries >= EVICTION_TRIES) {
        this.#forgottenOffset = Math.max(this.#forgottenOffset, state.offset);
        return;
      }
      this.#topics.set(name, state);
    }
  }
}
