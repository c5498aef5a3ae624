// (7) A bridge between two clusters, one way: reads what subscribers over there want and publishes it to
// their brokers under its first identity. One hop: only what was first published in the cluster read from
// passes, so two bridges back to back make no circle; and because the identity stays, two bridges side by
// side deliver once.

import { every } from '../../daemon/clock.ts';
import type { Config } from '../../daemon/config.ts';
import type { Running } from '../../daemon/lifecycle.ts';
import { CLOSE_DEADLINE_MS } from '../../daemon/lifecycle.ts';
import type { Log } from '../../daemon/log.ts';
import type { Metrics } from '../../daemon/metrics.ts';
import type { CurveClient } from '../../daemon/zeromq-options.ts';
import { BUCKET_COUNT, hasBucket } from '../../protocol/bucket.ts';
import type { BrokerAddress } from '../../protocol/broker-address.ts';
import { followBrokers } from '../../publisher/discovery.ts';
import type { Publisher } from '../../publisher/index.ts';
import { createPublisher } from '../../publisher/index.ts';
import { BrokerConnection } from '../../subscriber/broker-connection.ts';
import { BrokerConnections } from '../../subscriber/broker-connections.ts';
import { Questions } from '../../subscriber/core/questions.ts';
import { Recovery } from '../../subscriber/recovery.ts';
import { watchInterest } from '../../subscriber/interest-watch.ts';
import type { bridgeOptions } from './bridge-options.ts';
import type { BridgeCounts } from './bridge-traffic.ts';
import { createBridgeTraffic } from './bridge-traffic.ts';

export type BridgeConfig = Config<typeof bridgeOptions>;

export interface BridgeParts {
  log: Log;
  metrics: Metrics;
  /** Brokers to start with, or all there are where no Herald is named. */
  from?: readonly BrokerAddress[];
  to?: readonly BrokerAddress[];
}

export interface BridgeSnapshot extends BridgeCounts {
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
/** Brokers announce themselves each second: by then every Herald that knows of any has named them. */
const NAMED_WITHIN_MS = 5_000;

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
  const traffic = createBridgeTraffic(config.id, publisher, metrics, log);
  const wantedSince = new Array<number | undefined>(BUCKET_COUNT);
  const questions = new Questions();
  const recovery = new Recovery({
    connections: () => sources.values(),
    nowMs: () => performance.now(),
    repaired: () => {},
    lost: (from, _epoch, bucket, count) => traffic.lost(from.id, bucket, count, 'broker-lost'),
    uncounted: (from, { epoch }) =>
      log.warn('messages-may-be-lost', { bridge: config.id, broker: from.id, epoch }),
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
      deliver: (_bucket, _epoch, messages) => messages.forEach((message) => traffic.pass(message)),
      lost: (from, bucket, _epoch, count, why) => traffic.lost(from.id, bucket, count, why),
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
  // A broker that is named and cannot be reached is told of by its connection; nobody else would tell of this.
  const unnamed = setTimeout(() => {
    const from = sources.values().next().done ? config.fromHeralds : [];
    const to = publisher.snapshot().brokers.length === 0 ? config.toHeralds : [];
    if (from.length + to.length > 0)
      log.warn('no-brokers-named', { bridge: config.id, heralds: [...from, ...to] });
  }, NAMED_WITHIN_MS).unref();

  return {
    addresses: {},
    snapshot: () => ({ ...traffic.counts(), buckets: buckets().length }),
    closeDeadlineMs: CLOSE_DEADLINE_MS + GIVE_UP_MS,
    async close() {
      clearTimeout(unnamed);
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
