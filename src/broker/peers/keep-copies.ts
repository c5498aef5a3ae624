// (7) Listens to the other brokers of the cluster and keeps what they send for a while: should one die, gateways
// repair from here what they have not got, and clients resume. Costs a receive in large envelopes, some 1 us a
// message, and no connection of a publisher or gateway waits for it.

import { every } from '../../daemon/clock.ts';
import type { Log } from '../../daemon/log.ts';
import type { CurveClient } from '../../daemon/zeromq-options.ts';
import type { BrokerAddress } from '../../protocol/broker-address.ts';
import { followBrokers } from '../../publisher/discovery.ts';
import { BrokerConnection } from '../../subscriber/broker-connection.ts';
import { BrokerConnections } from '../../subscriber/broker-connections.ts';
import { Questions } from '../../subscriber/core/questions.ts';
import type { BrokerCore } from '../core/broker-core.ts';

export interface KeepCopiesOptions {
  core: BrokerCore;
  ownId: string;
  heralds: readonly string[];
  brokers: readonly BrokerAddress[];
  curve: CurveClient | undefined;
  nowMs: () => number;
  log: Log;
}

const TICK_MS = 100;

/** Returns what ends it. */
export function keepCopies(options: KeepCopiesOptions): () => void {
  const { core, nowMs, log } = options;
  const startedMs = nowMs();
  const questions = new Questions();

  const connect = (address: BrokerAddress): BrokerConnection =>
    new BrokerConnection(address, options.curve, {
      log,
      interestSince: () => startedMs,
      questions,
      nowMs,
      wantedHere: false,
      deliver: (bucket, epoch, messages, firstSequence) =>
        core.keep(epoch, bucket, firstSequence, messages, nowMs()),
      lost: (_from, bucket, epoch, count) => core.noteMissed(epoch, bucket, count, nowMs()),
      broken(_from, { epoch, wasCut }) {
        if (wasCut === true) core.noteCut(epoch);
      },
      ended(_from, { epoch, buckets, wasCut }) {
        if (wasCut === true) core.noteCut(epoch);
        for (const [bucket, feed] of buckets) {
          for (let missing = feed.missing(); missing; missing = feed.missing()) {
            feed.skipTo(missing.to + 1, (count) => core.noteMissed(epoch, bucket, count, nowMs()));
          }
        }
      },
      repaired: () => {},
      onConnected: () => {},
    });
  const peers = new BrokerConnections(connect, nowMs);
  const setPeers = (list: readonly BrokerAddress[]): void => {
    const others = list.filter(({ id }) => id !== options.ownId);
    peers.follow(others, (peer) => peer.listen(true, []));
  };
  const stopTicking = every(TICK_MS, () => {
    peers.tick();
    questions.expire(nowMs());
  });
  const stopFollowing = options.heralds.length > 0 ? followBrokers(options.heralds, setPeers) : () => {};
  setPeers(options.brokers);
  return () => {
    stopFollowing();
    stopTicking();
    peers.close();
  };
}
