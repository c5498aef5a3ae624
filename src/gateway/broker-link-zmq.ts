// (7) -> (8) The gateway's link to all brokers: subscribes to what the hub wants, keeps each broker's stream
// whole (core/feed-*), answers where topics stand and what they held. The hub sees only core/feed-port.ts.

import { every } from '../daemon/clock.ts';
import type { Log } from '../daemon/log.ts';
import { silentLog } from '../daemon/log.ts';
import type { CurveClient } from '../daemon/zeromq-options.ts';
import { bucketOf } from '../protocol/bucket.ts';
import { rankAllBuckets } from '../protocol/bucket-owner.ts';
import type { BrokerAddress } from '../protocol/broker-address.ts';
import { BrokerConnection } from '../subscriber/broker-connection.ts';
import { BrokerConnections } from '../subscriber/broker-connections.ts';
import { Questions } from '../subscriber/core/questions.ts';
import { Recovery } from '../subscriber/recovery.ts';
import { CanaryLag } from './core/canary-lag.ts';
import { chunks, headsRequest, NOWHERE } from './core/feed-history.ts';
import { FeedLosses } from './core/feed-losses.ts';
import type { BrokerLink, FeedEvents, FeedSnapshot, TopicPosition } from './core/feed-port.ts';
import { FeedTopics } from './core/feed-topics.ts';
import { NotedStamps } from './core/noted-stamps.ts';
import { fetchHistory } from './fetch-history.ts';
import { LossSettler } from './loss-settler.ts';

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
  const log = options.log ?? silentLog;
  const headDeadlineMs = options.headDeadlineMs ?? 1_500;
  const fetchDeadlineMs = options.fetchDeadlineMs ?? 2_000;
  const nowMs = options.nowMs ?? (() => performance.now());
  const losses = new FeedLosses();
  const questions = new Questions();
  const canaryLag = new CanaryLag();
  let canaryMs = 0;
  const noted = new NotedStamps();
  const topics = new FeedTopics(
    options,
    ({ source, publishedAtMs }) => {
      canaryMs = canaryLag.note(source.publisher, publishedAtMs, nowMs());
    },
    ({ topic, offset, sequence, source: { publisher }, publishedAtMs }, epoch) => {
      const stamps = noted.take({ publisher, sequence });
      options.onTraced?.({ topic, epoch, offset, publisher, sequence, publishedAtMs, stamps });
    },
  );
  let ranks = rankAllBuckets([]);
  let wide = false;
  let closed = false;
  let repaired = 0;
  /** How long at least one broker was connected: the clock that losses are judged by (core/feed-losses.ts). */
  let reachMs = 0;
  let tickedMs = nowMs();
  let scheduled: NodeJS.Immediate | undefined;
  let refreshDue = false;
  /** Called at each tick and whenever a broker connects; each is called once. */
  const changes: (() => void)[] = [];
  /** Subscribers that wait for the head of a topic. */
  const headsWanted = new Map<string, { untilMs: number; settle: ((head: TopicPosition) => void)[] }>();

  /** The first in rank that is connected; undefined while there is none, or while one before it is still arriving. */
  const ownerOf = (topic: string): BrokerConnection | undefined => {
    const first = ranks[bucketOf(topic)]!.map((id) => connections.get(id)).find(
      (connection) => connection !== undefined && (connection.connected || connection.arriving),
    );
    return first?.connected === true ? first : undefined;
  };
  const ownerSoon = async (topic: string): Promise<BrokerConnection | undefined> => {
    const endMs = nowMs() + fetchDeadlineMs;
    let owner = ownerOf(topic);
    while (!owner && !closed && nowMs() < endMs) {
      await change();
      owner = ownerOf(topic);
    }
    return owner;
  };
  const change = (): Promise<void> => new Promise((resolve) => changes.push(resolve));
  const tellChange = (): void => {
    for (const resolve of changes.splice(0)) resolve();
  };

  const connect = (address: BrokerAddress): BrokerConnection =>
    new BrokerConnection(address, options.curve, {
      interestSince: (bucket) => topics.interestSince(bucket),
      questions,
      wantedHere: true,
      nowMs,
      fromStart: (bucket, epoch, beganMs) => topics.heardFromStart(bucket, epoch, beganMs),
      deliver(bucket, epoch, messages) {
        topics.deliver(epoch, messages, () => losses.noteResent(bucket));
      },
      lost(connection, bucket, epoch, count, why) {
        log.warn('messages-lost', { broker: connection.id, bucket, count, why });
        if (why === 'broker-lost') orphan(connection, bucket, epoch, count);
        else void settler.settle(connection, bucket, epoch, count);
      },
      broken: (from, followed) => recovery.mend(from, followed),
      ended: (from, followed) => recovery.ended(from, followed),
      repaired: (count) => void (repaired += count),
      traced: (notes) => noted.add(notes),
      onConnected(connection, connected) {
        log.info(connected ? 'broker-connected' : 'broker-disconnected', { broker: connection.id });
        if (connected) {
          schedule();
          tellChange();
        } else connection.resentBefore = losses.resentCounts();
      },
    });
  const connections = new BrokerConnections(connect, nowMs);

  /** Lost unless their publishers send them again; whose they were, nobody knows. */
  const orphan = (from: BrokerConnection, bucket: number, epoch: string, count: number): void =>
    losses.orphan({ bucket, epoch, count }, from.resentBefore?.[bucket] ?? 0, reachMs);
  const settler = new LossSettler({
    topics,
    losses,
    brokers: () => connections.values(),
    reachMs: () => reachMs,
    change,
  });
  const recovery = new Recovery({
    connections: () => connections.values(),
    nowMs: () => reachMs,
    repaired: (count) => void (repaired += count),
    lost(from, epoch, bucket, count, holder) {
      log.warn('messages-lost', { broker: from.id, bucket, count, why: 'broker-lost' });
      if (holder) void settler.settle(holder, bucket, epoch, count);
      else orphan(from, bucket, epoch, count);
    },
    uncounted(from, { epoch, buckets }) {
      log.warn('messages-may-be-lost', { broker: from.id, epoch });
      for (const bucket of buckets.keys()) topics.tellUncounted(topics.topicsOf(bucket), epoch);
    },
  });

  const schedule = (): void => {
    scheduled ??= setImmediate(flush);
  };
  const flush = (): void => {
    scheduled = undefined;
    if (closed) return;
    // First, since answers come in the order of the questions: a topic's head must find its bucket joined.
    if (refreshDue) for (const connection of connections.values()) connection.refresh();
    refreshDue = false;
    const byOwner = new Map<BrokerConnection, string[]>();
    for (const topic of headsWanted.keys()) {
      const owner = ownerOf(topic);
      if (!owner) continue;
      const list = byOwner.get(owner);
      if (list) list.push(topic);
      else byOwner.set(owner, [topic]);
    }
    for (const [owner, names] of byOwner) for (const chunk of chunks(names)) void askHeads(owner, chunk);
  };
  const askHeads = async (owner: BrokerConnection, names: string[]): Promise<void> => {
    const wanted = names.map((topic) => [topic, headsWanted.get(topic)] as const);
    for (const topic of names) headsWanted.delete(topic);
    const reply = await owner.question(headsRequest(names, ''));
    const answer = reply?.kind === 'topics' ? reply : undefined;
    const heads = new Map(answer?.answers.map(({ topic, headOffset }) => [topic, headOffset]));
    for (const [topic, waiting] of wanted) {
      const offset = heads.get(topic);
      const head = answer && offset !== undefined ? { epoch: answer.epoch, offset } : NOWHERE;
      if (head.epoch !== '') topics.noteHead(topic, head);
      for (const settle of waiting?.settle ?? []) settle(head);
    }
  };

  const interestChanged = (bucket: number, wanted: boolean): void => {
    const buckets = topics.interestedBuckets();
    const goWide = wide ? buckets.length >= NARROW_BELOW_BUCKETS : buckets.length > WIDE_ABOVE_BUCKETS;
    if (goWide !== wide) {
      wide = goWide;
      for (const connection of connections.values()) connection.listen(wide, buckets);
    } else if (!wide) {
      for (const connection of connections.values()) connection.filter(bucket, wanted);
    }
    refreshDue = true;
    schedule();
  };

  const setBrokers = (list: readonly BrokerAddress[]): void => {
    if (closed) return;
    const isNew = connections.follow(list, (connection) =>
      connection.listen(wide, topics.interestedBuckets()),
    );
    if (!isNew) return;
    ranks = rankAllBuckets(list);
    schedule();
  };

  const stopTicking = every(TICK_MS, () => {
    const now = nowMs();
    // Time without any broker does not count, nor does time in which this process slept.
    if ([...connections.values()].some(({ connected }) => connected)) {
      reachMs += Math.min(now - tickedMs, MAX_TICK_MS);
    }
    tickedMs = now;
    connections.tick();
    questions.expire(now);
    tellChange();
    if (headsWanted.size > 0) schedule();
    for (const [topic, { untilMs, settle }] of headsWanted) {
      if (untilMs > now) continue;
      headsWanted.delete(topic);
      for (const one of settle) one(NOWHERE);
    }
    settler.tick();
  });
  setBrokers(options.brokers);

  return {
    subscribe(topic) {
      if (closed) return Promise.resolve(NOWHERE);
      if (topics.add(topic, nowMs())) interestChanged(bucketOf(topic), true);
      return new Promise((settle) => {
        const waiting = headsWanted.get(topic);
        if (waiting) waiting.settle.push(settle);
        else headsWanted.set(topic, { untilMs: nowMs() + headDeadlineMs, settle: [settle] });
        schedule();
      });
    },
    unsubscribe(topic) {
      if (topics.remove(topic) && !closed) interestChanged(bucketOf(topic), false);
    },
    async fetchSince(topic, position, limits) {
      const owner = await ownerSoon(topic);
      if (closed || !owner) return { complete: false, why: 'unavailable', head: NOWHERE };
      return fetchHistory(topic, position, limits, owner, connections.values());
    },
    setBrokers,
    snapshot(): FeedSnapshot {
      const all = [...connections.values()];
      return {
        brokers: all.map(({ id, epoch, connected, lagMs }) => ({
          id,
          epoch,
          connected,
          lagMs,
        })),
        canaryMs: all.length > 0 ? canaryMs : 0,
        topics: topics.size,
        ...topics.counts,
        repaired,
        envelopes: all.reduce((sum, { envelopes }) => sum + envelopes, 0),
        repairRequests: all.reduce((sum, { repairRequests }) => sum + repairRequests, 0),
        badFrames: all.reduce((sum, { badFrames }) => sum + badFrames, 0),
      };
    },
    close() {
      closed = true;
      stopTicking();
      recovery.close();
      settler.close();
      clearImmediate(scheduled);
      connections.close();
      questions.expire(Infinity);
      tellChange();
      for (const { settle } of headsWanted.values()) for (const one of settle) one(NOWHERE);
      return Promise.resolve();
    },
  };
}
