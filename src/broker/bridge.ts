// (7) A bridge between two clusters, one way: reads what subscribers over there want and publishes it to
// their brokers under its first identity. One hop: only what was first published in the cluster read from
// passes, so two bridges back to back make no circle; and because the identity stays, two bridges side by
// side deliver once.

import { every } from '../daemon/clock.ts';
import type { Config } from '../daemon/config.ts';
import type { Running } from '../daemon/lifecycle.ts';
import { CLOSE_DEADLINE_MS } from '../daemon/lifecycle.ts';
import type { Log } from '../daemon/log.ts';
import type { Counter, Metrics } from '../daemon/metrics.ts';
import type { CurveClient } from '../daemon/zeromq-options.ts';
import { BUCKET_COUNT, hasBucket } from '../protocol/bucket.ts';
import type { BrokerAddress } from '../protocol/broker-address.ts';
import { MESSAGE_FLAG } from '../protocol/publication.ts';
import type { SequencedMessage } from '../protocol/publication-envelope.ts';
import { followBrokers } from '../publisher/discovery.ts';
import type { Publisher } from '../publisher/index.ts';
import { createPublisher } from '../publisher/index.ts';
import { BrokerConnection } from '../subscriber/broker-connection.ts';
import { BrokerConnections } from '../subscriber/broker-connections.ts';
import { Questions } from '../subscriber/core/questions.ts';
import { Recovery } from '../subscriber/recovery.ts';
import { watchInterest } from '../subscriber/interest-watch.ts';
import type { bridgeOptions } from './bridge-options.ts';

export type BridgeConfig = Config<typeof bridgeOptions>;

export interface BridgeParts {
  log: Log;
  metrics: Metrics;
  /** Brokers to start with, or all there are where no Herald is named. */
  from?: readonly BrokerAddress[];
  to?: readonly BrokerAddress[];
}

export interface BridgeSnapshot {
  /** read = passed + notFirstHop + canaries. */
  read: number;
  /** Handed to the publisher; acked + failed + waiting. */
  passed: number;
  acked: number;
  failed: number;
  /** Came over a bridge themselves. */
  notFirstHop: number;
  canaries: number;
  /** Known to be published and not received, for good. */
  lost: number;
  /** Buckets that anybody over there wants. */
  buckets: number;
}

/** `close` passes on what it has read, then disconnects. */
export interface BridgeHandle extends Running {
  readonly addresses: Record<string, string>;
  snapshot(): BridgeSnapshot;
}

const TICK_MS = 100;
/** How long a message waits for a broker over there, at a stop as well. */
const GIVE_UP_MS = 10_000;

/** `config` as `checkBridgeConfig` leaves it; a side whose brokers are given needs no Herald. */
export async function startBridge(config: BridgeConfig, parts: BridgeParts): Promise<BridgeHandle> {
  const publisher = await createPublisher({
    heralds: config.toHeralds,
    brokers: parts.to ?? [],
    giveUpMs: GIVE_UP_MS,
    ...curveOf(config, config.toServerKey),
  });
  return runBridge(config, parts, publisher);
}

function runBridge(config: BridgeConfig, parts: BridgeParts, publisher: Publisher): BridgeHandle {
  const { log, metrics } = parts;
  const bridge = config.id;
  const passedMeter = metrics.counter('bridge.messages_passed', { bridge });
  const lostMeter = (cause: string): Counter => metrics.counter('bridge.messages_lost', { bridge, cause });
  const lostMeters = {
    'not-passed': lostMeter('not-passed'),
    trimmed: lostMeter('trimmed'),
    'broker-lost': lostMeter('broker-lost'),
  };
  const counts = { read: 0, passed: 0, acked: 0, failed: 0, notFirstHop: 0, canaries: 0, lost: 0 };
  const wantedSince = new Array<number | undefined>(BUCKET_COUNT);
  const questions = new Questions();
  let failing = false;

  const pass = (message: SequencedMessage): void => {
    const { source } = message;
    counts.read += 1;
    if (message.flags & MESSAGE_FLAG.canary) {
      counts.canaries += 1;
    } else if (source.hop > 0) {
      counts.notFirstHop += 1;
    } else {
      counts.passed += 1;
      const { publisher: first, origin } = source;
      const { sequence, publishedAtMs } = message;
      publisher
        .publishJson(message.topic, message.data, {
          publisher: first,
          sequence,
          origin,
          hop: 1,
          publishedAtMs,
        })
        .then(acked, notAcked);
    }
  };
  const acked = (): void => {
    counts.acked += 1;
    passedMeter.add(1);
    if (failing) log.info('passing-again', { bridge });
    failing = false;
  };
  const notAcked = (error: unknown): void => {
    counts.failed += 1;
    lostMeters['not-passed'].add(1);
    if (!failing) log.warn('not-passed', { bridge, error: String(error) });
    failing = true;
  };

  const noteLost = (
    from: BrokerConnection,
    bucket: number,
    count: number,
    why: 'trimmed' | 'broker-lost',
  ): void => {
    counts.lost += count;
    lostMeters[why].add(count);
    log.warn('messages-lost', { bridge, broker: from.id, bucket, count, why });
  };
  const recovery = new Recovery({
    connections: () => sources.values(),
    nowMs: () => performance.now(),
    repaired: () => {},
    lost: (from, _epoch, bucket, count) => noteLost(from, bucket, count, 'broker-lost'),
    uncounted: (from, { epoch }) => log.warn('messages-may-be-lost', { bridge, broker: from.id, epoch }),
  });

  const buckets = (): number[] =>
    wantedSince.flatMap((since, bucket) => (since === undefined ? [] : [bucket]));
  const connect = (address: BrokerAddress): BrokerConnection =>
    new BrokerConnection(address, curveOf(config, config.fromServerKey).curve, {
      log,
      interestSince: (bucket) => wantedSince[bucket],
      questions,
      wantedHere: true,
      nowMs: () => performance.now(),
      deliver: (_bucket, _epoch, messages) => messages.forEach(pass),
      lost: (from, bucket, _epoch, count, why) => noteLost(from, bucket, count, why),
      broken: (from, followed) => recovery.mend(from, followed),
      ended: (from, followed) => recovery.ended(from, followed),
      repaired: () => {},
      onConnected: () => {},
    });
  const sources = new BrokerConnections(connect, () => performance.now());
  const setSources = (list: readonly BrokerAddress[]): void => {
    sources.follow(list, (source) => source.listen(false, buckets()));
  };

  const interest = watchInterest(
    config.toHeralds,
    parts.to ?? [],
    curveOf(config, config.toServerKey).curve,
    (wanted) => {
      for (let bucket = 0; bucket < BUCKET_COUNT; bucket++) {
        const now = hasBucket(wanted, bucket);
        if (now === (wantedSince[bucket] !== undefined)) continue;
        wantedSince[bucket] = now ? performance.now() : undefined;
        for (const source of sources.values()) source.filter(bucket, now);
      }
      for (const source of sources.values()) source.refresh();
    },
  );
  const stopTicking = every(TICK_MS, () => {
    sources.tick();
    questions.expire(performance.now());
  });
  const stopFollowing =
    config.fromHeralds.length > 0 ? followBrokers(config.fromHeralds, setSources) : () => {};
  setSources(parts.from ?? []);

  return {
    addresses: {},
    snapshot: () => ({ ...counts, buckets: buckets().length }),
    closeDeadlineMs: CLOSE_DEADLINE_MS + GIVE_UP_MS,
    async close() {
      stopFollowing();
      stopTicking();
      interest.close();
      recovery.close();
      sources.close();
      await publisher.close();
    },
  };
}

function curveOf(config: BridgeConfig, serverKey: string): { curve?: CurveClient } {
  if (serverKey === '') return {};
  return { curve: { serverKey, publicKey: config.curvePublicKey, secretKey: config.curveSecretKey } };
}
