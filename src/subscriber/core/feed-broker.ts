// One broker as a gateway hears it: joins the buckets of interest, notices holes by sequence and by heads,
// decides what to ask for again and when to give up. A new epoch is a new life of the broker: what is
// missing of the old one has to come from elsewhere.

import { BUCKET_COUNT } from '../../protocol/bucket.ts';
import type { BucketHead, Envelope, Heads, SequencedMessage } from '../../protocol/publication-envelope.ts';
import type { RepairReply } from '../../protocol/publication-repair.ts';
import { MAX_RANGE } from '../../protocol/publication-repair.ts';
import { BucketFeed, haveRoom } from './feed-bucket.ts';
import type { FollowedEpoch } from './recover-epoch.ts';

export interface BrokerFeedActions {
  /** The bucket is heard from the first message of this life on, which began at `beganMs`. Comes before `deliver`. */
  fromStart(bucket: number, epoch: string, beganMs: number): void;
  deliver(bucket: number, epoch: string, messages: SequencedMessage[], firstSequence: number): void;
  /** `count` messages of the bucket will not come from this broker. */
  lost(bucket: number, epoch: string, count: number, why: 'trimmed' | 'broker-lost'): void;
  /** This life of the broker is over; `buckets` is how far it was followed, with what is missing. */
  ended(followed: FollowedEpoch): void;
  askHeads(): void;
  askRange(bucket: number, from: number, to: number): void;
}

/** Since when the gateway has had a topic in a bucket, on its monotonic clock; undefined = it has none. */
export type InterestSince = (bucket: number) => number | undefined;

const MAX_RANGES_IN_FLIGHT = 8;
const ASK_AGAIN_MS = 1_000;
const MAX_TRIES = 5;
/** If a broker restarts more often than this while its messages wait in a socket, some may be delivered twice. */
const MAX_LIVES_BEFORE = 4;
/** A broker younger than this is heard from its first message, if the interest is older than the broker. */
const YOUNG_BROKER_MS = 15_000;

/**
 * Heads that come later than this do not tell where the broker stood when the bucket was wanted: it was frozen or out of
 * reach, and publishers may have reached it again before this subscriber did.
 */
const LATE_MS = 250;

/** A life of the broker that is not the present one, and how far it was heard. */
interface LifeBefore {
  buckets: Map<number, BucketFeed>;
  leftMs: number;
}

/** A bucket that is not joined yet. */
interface Wish {
  sinceMs: number;
  /** The head in a heartbeat from before; undefined = none had come. */
  head: number | undefined;
}

interface Asked {
  tries: number;
  sentMs: number;
}

export class BrokerFeed {
  readonly #actions: BrokerFeedActions;
  readonly #interestSince: InterestSince;
  #epoch = '';
  #buckets = new Map<number, BucketFeed>();
  /**
   * Lives before, the latest last: what they sent may still lie in one socket when the next one has answered on the
   * other. Where that was heard first, the present one is among those before until it answers again. So is one that was
   * let go, as it was frozen or in no list, until it comes back.
   */
  readonly #before = new Map<string, LifeBefore>();
  #asked = new Map<number, Asked>();
  #wishes = new Map<number, Wish>();
  /** Of the last two heartbeats: the older one is surely from before what is wanted now. */
  #heads: readonly BucketHead[] | undefined;
  #headsBefore: ReadonlyMap<number, number> | undefined;
  #headsAskedMs: number | undefined;
  #final = false;

  constructor(actions: BrokerFeedActions, interestSince: InterestSince) {
    this.#actions = actions;
    this.#interestSince = interestSince;
  }

  get epoch(): string {
    return this.#epoch;
  }

  /** True when the broker has said goodbye and everything up to its final heads has come. */
  get complete(): boolean {
    return this.#final && this.#missingBuckets().length === 0;
  }

  /** Whether messages of the bucket may have gone through this broker in its present life. */
  mayHaveCarried(bucket: number): boolean {
    const feed = this.#buckets.get(bucket);
    return feed?.joined !== true || feed.carriesAny;
  }

  /** Whether messages of a bucket are known to be missing that may still come. */
  lacks(bucket: number, epoch: string): boolean {
    const buckets = epoch === this.#epoch ? this.#buckets : this.#before.get(epoch)?.buckets;
    return buckets?.get(bucket)?.missing() !== undefined;
  }

  envelope({ epoch, sections }: Envelope, nowMs: number): void {
    const before = this.#before.get(epoch);
    if (before) {
      for (const section of sections) before.buckets.get(section.bucket)?.receive(section);
      return;
    }
    this.#enter(epoch, nowMs);
    for (const section of sections) {
      const { bucket } = section;
      if (this.#interestSince(bucket) === undefined) continue;
      const feed = this.#bucket(bucket);
      feed.receive(section);
      this.#askFor(bucket, feed, nowMs);
    }
  }

  heartbeat({ epoch, state, heads }: Heads, nowMs: number): void {
    if (this.#before.has(epoch)) return;
    this.#enter(epoch, nowMs);
    this.#headsBefore = new Map((this.#heads ?? heads).map(({ bucket, sequence }) => [bucket, sequence]));
    this.#heads = heads;
    this.#noteHeads(heads);
    if (state === 'bye') this.#final = true;
    this.#ask(nowMs);
  }

  reply(reply: RepairReply, nowMs: number): void {
    if (reply.kind === 'heads') {
      this.#enter(reply.epoch, nowMs);
      this.#headsAskedMs = undefined;
      this.#joinAll(reply.heads, reply.upMs, nowMs);
    } else if (reply.epoch !== this.#epoch) {
      return;
    } else if (reply.kind === 'range') {
      const feed = this.#buckets.get(reply.bucket);
      const before = feed?.missing()?.from;
      if (feed) {
        this.#giveUp(reply.bucket, feed, reply.firstHeldSequence, 'trimmed');
        feed.receive(reply.section);
      }
      // An answer that brought nothing is asked again after a while, not in a circle.
      if (feed?.missing()?.from !== before || before === undefined) this.#asked.delete(reply.bucket);
    }
    this.#ask(nowMs);
  }

  /** Connected, or the interest in buckets has changed: join what is new, forget what is not wanted. */
  refresh(nowMs: number): void {
    for (const bucket of this.#buckets.keys()) {
      if (this.#interestSince(bucket) === undefined) {
        this.#buckets.delete(bucket);
        this.#asked.delete(bucket);
      }
    }
    this.#want(nowMs);
    this.#headsAskedMs = nowMs;
    this.#actions.askHeads();
  }

  /** The broker is out of reach: whatever it answers to what is wanted until it is back is late. */
  outOfReach(): void {
    for (const wish of this.#wishes.values()) wish.sinceMs = -Infinity;
    this.#want(-Infinity);
  }

  /** Notes which buckets are wanted from now on. */
  #want(nowMs: number): void {
    for (let bucket = 0; bucket < BUCKET_COUNT; bucket++) {
      if (this.#interestSince(bucket) === undefined) this.#wishes.delete(bucket);
      else if (!this.#wishes.has(bucket) && this.#buckets.get(bucket)?.joined !== true) {
        const head = this.#headsBefore && (this.#headsBefore.get(bucket) ?? 0);
        this.#wishes.set(bucket, { sinceMs: nowMs, head });
      }
    }
  }

  /** Asks again for what was not answered, gives up after some tries. */
  tick(nowMs: number): void {
    if (this.#headsAskedMs !== undefined && nowMs - this.#headsAskedMs > ASK_AGAIN_MS) this.refresh(nowMs);
    for (const [bucket, { tries, sentMs }] of this.#asked) {
      if (nowMs - sentMs <= ASK_AGAIN_MS) continue;
      const feed = this.#buckets.get(bucket);
      const missing = feed?.missing();
      if (!feed || !missing || tries >= MAX_TRIES) {
        this.#asked.delete(bucket);
        if (feed && missing) this.#giveUp(bucket, feed, missing.to + 1, 'broker-lost');
      } else this.#send(bucket, missing.from, missing.to, tries + 1, nowMs);
    }
    this.#ask(nowMs);
  }

  /** How far the broker's life was followed. */
  get followed(): FollowedEpoch {
    return { epoch: this.#epoch, buckets: this.#buckets };
  }

  /** The broker is gone: what is missing may not come from it any more. */
  end(nowMs: number): void {
    const followed = this.followed;
    if (this.#epoch !== '') this.#keepBefore(nowMs);
    this.#buckets = new Map();
    this.#asked.clear();
    this.#wishes.clear();
    this.#heads = this.#headsBefore = undefined;
    this.#epoch = '';
    this.#final = false;
    if (followed.buckets.size > 0) this.#actions.ended(followed);
  }

  #enter(epoch: string, nowMs: number): void {
    if (epoch === this.#epoch) return;
    const first = this.#epoch === '';
    const back = this.#before.get(epoch);
    this.#before.delete(epoch);
    this.end(nowMs);
    this.#epoch = epoch;
    // Of what is wanted only since then, nothing was missed.
    const isOld = (bucket: number): boolean => (this.#interestSince(bucket) ?? Infinity) <= back!.leftMs;
    if (back) this.#buckets = new Map([...back.buckets].filter(([bucket]) => isOld(bucket)));
    if (!first || this.#headsAskedMs === undefined) this.refresh(nowMs);
  }

  #keepBefore(nowMs: number): void {
    this.#before.set(this.#epoch, { buckets: this.#buckets, leftMs: nowMs });
    if (this.#before.size <= MAX_LIVES_BEFORE) return;
    const [oldest] = this.#before.keys();
    this.#before.delete(oldest!);
  }

  #bucket(bucket: number): BucketFeed {
    const found = this.#buckets.get(bucket);
    if (found) return found;
    const [epoch, buckets] = [this.#epoch, this.#buckets];
    const feed = new BucketFeed(
      (messages, firstSequence) => this.#actions.deliver(bucket, epoch, messages, firstSequence),
      () => haveRoom(buckets.values()),
    );
    buckets.set(bucket, feed);
    return feed;
  }

  /**
   * Joins every bucket of interest that is not joined: at the head, or at the very first message when the
   * gateway wanted the bucket before this broker's life began. Where the broker answers late, it is at the head of
   * before the bucket was wanted.
   */
  #joinAll(heads: readonly BucketHead[], upMs: number, nowMs: number): void {
    const headOf = new Map(heads.map(({ bucket, sequence }) => [bucket, sequence]));
    for (let bucket = 0; bucket < BUCKET_COUNT; bucket++) {
      const sinceMs = this.#interestSince(bucket);
      if (sinceMs === undefined) continue;
      const feed = this.#bucket(bucket);
      const head = headOf.get(bucket) ?? 0;
      feed.noteHead(head);
      if (feed.joined) continue;
      const wantedBefore = upMs < YOUNG_BROKER_MS && nowMs - sinceMs > upMs;
      const wish = this.#wishes.get(bucket);
      const isLate = wish !== undefined && nowMs - wish.sinceMs > LATE_MS;
      const start = isLate ? Math.min(head, wish.head ?? head) : head;
      if (wantedBefore) this.#actions.fromStart(bucket, this.#epoch, nowMs - upMs);
      feed.join(wantedBefore ? 1 : start + 1);
      this.#wishes.delete(bucket);
    }
  }

  #noteHeads(heads: readonly BucketHead[]): void {
    for (const { bucket, sequence } of heads) this.#buckets.get(bucket)?.noteHead(sequence);
  }

  #giveUp(bucket: number, feed: BucketFeed, before: number, why: 'trimmed' | 'broker-lost'): void {
    if (!feed.joined) return;
    feed.skipTo(before, (count) => this.#actions.lost(bucket, this.#epoch, count, why));
  }

  #missingBuckets(): [number, BucketFeed][] {
    return [...this.#buckets].filter(([, feed]) => feed.missing() !== undefined);
  }

  #ask(nowMs: number): void {
    for (const [bucket, feed] of this.#buckets) this.#askFor(bucket, feed, nowMs);
  }

  #askFor(bucket: number, feed: BucketFeed, nowMs: number): void {
    if (this.#asked.size >= MAX_RANGES_IN_FLIGHT) return;
    const missing = feed.missing();
    if (missing && !this.#asked.has(bucket)) this.#send(bucket, missing.from, missing.to, 1, nowMs);
  }

  #send(bucket: number, from: number, to: number, tries: number, nowMs: number): void {
    this.#asked.set(bucket, { tries, sentMs: nowMs });
    this.#actions.askRange(bucket, from, Math.min(to, from + MAX_RANGE - 1));
  }
}
