// (7) -> (8) The gateway's link to all brokers: subscribes to what the hub wants, keeps each broker's stream
// whole (core/feed-*), answers where topics stand and what they held. The hub sees only core/feed-port.ts.

import { every } from '../../daemon/clock.ts';
import type { Log } from '../../daemon/log.ts';
import { silentLog } from '../../daemon/log.ts';
import type { CurveClient } from '../../daemon/zeromq-options.ts';
import { bucketOf } from '../../protocol/bucket.ts';
import type { BrokerAddress } from '../../protocol/broker-address.ts';
import type { ConnectionHost } from '../../subscriber/broker-connection.ts';
import { BrokerConnection } from '../../subscriber/broker-connection.ts';
import { BrokerConnections } from '../../subscriber/broker-connections.ts';
import { Questions } from '../../subscriber/core/questions.ts';
import { Recovery } from '../../subscriber/recovery.ts';
import { CanaryLag } from '../core/canary-lag.ts';
import { NOWHERE } from '../core/feed-history.ts';
import { FeedLosses } from '../core/feed-losses.ts';
import type {
  BrokerLink,
  FeedEvents,
  FeedSnapshot,
  FetchedHistory,
  FetchLimits,
  ResumePoint,
  TopicPosition,
} from '../core/feed-port.ts';
import { FeedTopics } from '../core/feed-topics.ts';
import { NotedStamps } from '../core/noted-stamps.ts';
import { fetchHistory } from './fetch-history.ts';
import { LossSettler } from './loss-settler.ts';
import { TopicOwners } from './topic-owners.ts';
import { WantedHeads } from './wanted-heads.ts';

export interface BrokerLinkOptions extends FeedEvents {
  brokers: readonly BrokerAddress[];
  curve?: CurveClient;
  log?: Log;
  /** How long subscribe() waits for the topic's head. */
  headDeadlineMs?: number;
  fetchDeadlineMs?: number;
  /** Goes on steadily, also when the wall clock is set. */
  nowMs?: () => number;
}

const TICK_MS = 100;
const MAX_TICK_MS = 500;
/** Above this many buckets everything is taken in few large envelopes; below the lower one, by bucket. */
const WIDE_ABOVE_BUCKETS = 32;
const NARROW_BELOW_BUCKETS = 16;

export function createBrokerLink(options: BrokerLinkOptions): BrokerLink {
  return new LinkToBrokers(options);
}

class LinkToBrokers implements BrokerLink {
  readonly #log: Log;
  readonly #headDeadlineMs: number;
  readonly #fetchDeadlineMs: number;
  readonly #nowMs: () => number;
  readonly #questions = new Questions();
  readonly #losses = new FeedLosses();
  readonly #noted = new NotedStamps();
  readonly #topics: FeedTopics;
  readonly #connections: BrokerConnections;
  readonly #owners: TopicOwners;
  readonly #heads: WantedHeads;
  readonly #settler: LossSettler;
  readonly #recovery: Recovery;
  readonly #stopTicking: () => void;
  /** Called at each tick and whenever a broker connects; each is called once. */
  readonly #changes: (() => void)[] = [];
  #wide = false;
  #refreshDue = false;
  #scheduled: NodeJS.Immediate | undefined;
  #closed = false;
  #repaired = 0;
  #canaryMs = 0;
  /** How long at least one broker was connected: the clock that losses are judged by (core/feed-losses.ts). */
  #reachMs = 0;
  #tickedMs: number;

  constructor(options: BrokerLinkOptions) {
    this.#log = options.log ?? silentLog;
    this.#headDeadlineMs = options.headDeadlineMs ?? 1_500;
    this.#fetchDeadlineMs = options.fetchDeadlineMs ?? 2_000;
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#tickedMs = this.#nowMs();
    this.#topics = this.#feedTopics(options);
    const host = this.#connectionHost();
    this.#connections = new BrokerConnections(
      (address) => new BrokerConnection(address, options.curve, host),
      this.#nowMs,
    );
    this.#owners = new TopicOwners((broker) => this.#connections.get(broker));
    this.#heads = new WantedHeads(
      (topic) => this.#owners.of(topic),
      (topic, head) => this.#topics.noteHead(topic, head),
    );
    this.#settler = new LossSettler({
      topics: this.#topics,
      losses: this.#losses,
      brokers: () => this.#connections.values(),
      lacks: (bucket, epoch) => [...this.#connections.values()].some((one) => one.lacks(bucket, epoch)),
      reachMs: () => this.#reachMs,
      change: () => this.#change(),
    });
    this.#recovery = this.#openRecovery();
    this.#stopTicking = every(TICK_MS, () => this.#tick());
    this.setBrokers(options.brokers);
  }

  subscribe(topic: string): Promise<TopicPosition> {
    if (this.#closed) return Promise.resolve(NOWHERE);
    const nowMs = this.#nowMs();
    if (this.#topics.add(topic, nowMs)) this.#interestChanged(bucketOf(topic), true);
    const head = this.#heads.of(topic, nowMs + this.#headDeadlineMs);
    this.#schedule();
    return head;
  }

  unsubscribe(topic: string): void {
    if (this.#topics.remove(topic) && !this.#closed) this.#interestChanged(bucketOf(topic), false);
  }

  async fetchSince(topic: string, position: ResumePoint, limits: FetchLimits): Promise<FetchedHistory> {
    const owner = await this.#ownerSoon(topic);
    if (this.#closed || !owner) return { complete: false, why: 'unavailable', head: NOWHERE };
    return fetchHistory(topic, position, limits, owner, this.#connections.values());
  }

  setBrokers(brokers: readonly BrokerAddress[]): void {
    if (this.#closed) return;
    const isNew = this.#connections.follow(brokers, (connection) =>
      connection.listen(this.#wide, this.#topics.interestedBuckets()),
    );
    if (!isNew) return;
    this.#owners.setBrokers(brokers);
    this.#schedule();
  }

  snapshot(): FeedSnapshot {
    const all = [...this.#connections.values()];
    const sum = (count: 'envelopes' | 'repairRequests' | 'badFrames'): number =>
      all.reduce((total, connection) => total + connection[count], 0);
    return {
      brokers: all.map(({ id, epoch, connected, lagMs }) => ({ id, epoch, connected, lagMs })),
      canaryMs: all.length > 0 ? this.#canaryMs : 0,
      topics: this.#topics.size,
      ...this.#topics.counts,
      repaired: this.#repaired,
      envelopes: sum('envelopes'),
      repairRequests: sum('repairRequests'),
      badFrames: sum('badFrames'),
    };
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#stopTicking();
    this.#recovery.close();
    this.#settler.close();
    clearImmediate(this.#scheduled);
    this.#connections.close();
    this.#questions.expire(Infinity);
    this.#tellChange();
    this.#heads.expire(Infinity);
    return Promise.resolve();
  }

  #feedTopics(events: FeedEvents): FeedTopics {
    const canaryLag = new CanaryLag();
    return new FeedTopics(
      events,
      (probe) => {
        this.#canaryMs = canaryLag.note(probe, this.#nowMs());
      },
      ({ topic, offset, sequence, source: { publisher }, publishedAtMs }, epoch) => {
        const stamps = this.#noted.take({ publisher, sequence });
        events.onTraced?.({ topic, epoch, offset, publisher, sequence, publishedAtMs, stamps });
      },
    );
  }

  #connectionHost(): ConnectionHost {
    const topics = this.#topics;
    return {
      interestSince: (bucket) => topics.interestSince(bucket),
      questions: this.#questions,
      wantedHere: true,
      nowMs: this.#nowMs,
      log: this.#log,
      fromStart: (bucket, epoch, beganMs) => topics.heardFromStart(bucket, epoch, beganMs),
      deliver: (bucket, epoch, messages) =>
        topics.deliver(epoch, messages, ({ publishedAtMs }) => {
          this.#losses.noteResent(bucket);
          this.#recovery.sentAgain(this.#nowMs() - (Date.now() - publishedAtMs));
        }),
      lost: (connection, bucket, epoch, count, why) => {
        this.#log.warn('messages-lost', { broker: connection.id, bucket, count, why });
        if (why === 'broker-lost') this.#orphan(connection, bucket, epoch, count);
        else void this.#settler.settle(connection, bucket, epoch, count);
      },
      broken: (from, followed) => this.#recovery.mend(from, followed),
      ended: (from, followed) => this.#recovery.ended(from, followed),
      repaired: (count) => void (this.#repaired += count),
      traced: (notes) => this.#noted.add(notes),
      onConnected: (connection, connected) => {
        if (connected) {
          this.#schedule();
          this.#tellChange();
        } else connection.resentBefore = this.#losses.resentCounts();
      },
    };
  }

  #openRecovery(): Recovery {
    return new Recovery({
      connections: () => this.#connections.values(),
      nowMs: () => this.#reachMs,
      repaired: (count) => void (this.#repaired += count),
      lost: (from, epoch, bucket, count, holder) => {
        this.#log.warn('messages-lost', { broker: from.id, bucket, count, why: 'broker-lost' });
        if (holder) void this.#settler.settle(holder, bucket, epoch, count);
        else this.#orphan(from, bucket, epoch, count);
      },
      uncounted: (from, { epoch, buckets }) => {
        this.#log.warn('messages-may-be-lost', { broker: from.id, epoch });
        for (const bucket of buckets.keys()) {
          this.#topics.tellUncounted(this.#topics.topicsOf(bucket), epoch);
        }
      },
    });
  }

  /** Lost unless their publishers send them again; whose they were, nobody knows. */
  #orphan(from: BrokerConnection, bucket: number, epoch: string, count: number): void {
    this.#losses.orphan({ bucket, epoch, count }, this.#reachMs, from.resentBefore?.[bucket]);
  }

  async #ownerSoon(topic: string): Promise<BrokerConnection | undefined> {
    const endMs = this.#nowMs() + this.#fetchDeadlineMs;
    let owner = this.#owners.of(topic);
    while (!owner && !this.#closed && this.#nowMs() < endMs) {
      await this.#change();
      owner = this.#owners.of(topic);
    }
    return owner;
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#changes.push(resolve));
  }

  #tellChange(): void {
    for (const resolve of this.#changes.splice(0)) resolve();
  }

  #interestChanged(bucket: number, wanted: boolean): void {
    const buckets = this.#topics.interestedBuckets();
    const goWide = this.#wide ? buckets.length >= NARROW_BELOW_BUCKETS : buckets.length > WIDE_ABOVE_BUCKETS;
    if (goWide !== this.#wide) {
      this.#wide = goWide;
      for (const connection of this.#connections.values()) connection.listen(goWide, buckets);
    } else if (!goWide) {
      for (const connection of this.#connections.values()) connection.filter(bucket, wanted);
    }
    this.#refreshDue = true;
    this.#schedule();
  }

  #schedule(): void {
    this.#scheduled ??= setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#scheduled = undefined;
    if (this.#closed) return;
    // First, since answers come in the order of the questions: a topic's head must find its bucket joined.
    if (this.#refreshDue) for (const connection of this.#connections.values()) connection.refresh();
    this.#refreshDue = false;
    this.#heads.ask();
  }

  #tick(): void {
    const nowMs = this.#nowMs();
    // Time without any broker does not count, nor does time in which this process slept.
    if ([...this.#connections.values()].some(({ connected }) => connected)) {
      this.#reachMs += Math.min(nowMs - this.#tickedMs, MAX_TICK_MS);
    }
    this.#tickedMs = nowMs;
    this.#connections.tick();
    this.#questions.expire(nowMs);
    this.#tellChange();
    if (!this.#heads.isEmpty) this.#schedule();
    this.#heads.expire(nowMs);
    this.#settler.tick();
  }
}
