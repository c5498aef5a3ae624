// (7) Listens to the other brokers of the cluster and keeps what they send for a while: should one die, gateways
// repair from here what they have not got, and clients resume. Costs a receive in large envelopes, some 1 us a
// message, and no connection of a publisher or gateway waits for it.

import { every } from '../daemon/clock.ts';
import type { CurveClient } from '../daemon/zeromq-options.ts';
import { sameBrokers } from '../protocol/bucket-owner.ts';
import type { BrokerAddress } from '../protocol/load-report.ts';
import { followBrokers } from '../publisher/discovery.ts';
import { BrokerConnection } from '../subscriber/broker-connection.ts';
import { Questions } from '../subscriber/core/questions.ts';
import type { BrokerCore } from './core/broker-core.ts';

export interface KeepCopiesOptions {
  core: BrokerCore;
  ownId: string;
  heralds: readonly string[];
  brokers: readonly BrokerAddress[];
  curve: CurveClient | undefined;
  nowMs: () => number;
}

const TICK_MS = 100;
/** A broker that left the list may only have missed its announcements. */
const RETIRE_MS = 5_000;

/** Returns what ends it. */
export function keepCopies(options: KeepCopiesOptions): () => void {
  const { core, nowMs } = options;
  const startedMs = nowMs();
  const questions = new Questions();
  const peers = new Map<string, BrokerConnection>();
  let known: readonly BrokerAddress[] = [];

  const connect = (address: BrokerAddress): BrokerConnection =>
    new BrokerConnection(address, options.curve, {
      interestSince: () => startedMs,
      questions,
      nowMs,
      wantedHere: false,
      deliver: (bucket, epoch, messages, firstSequence) =>
        core.keep(epoch, bucket, firstSequence, messages, nowMs()),
      lost: (_from, bucket, epoch, count) => core.noteMissed(epoch, bucket, count, nowMs()),
      broken: () => {},
      ended(_from, { epoch, buckets }) {
        for (const [bucket, feed] of buckets) {
          for (let missing = feed.missing(); missing; missing = feed.missing()) {
            feed.skipTo(missing.to + 1, (count) => core.noteMissed(epoch, bucket, count, nowMs()));
          }
        }
      },
      repaired: () => {},
      onConnected: () => {},
    });
  const setPeers = (list: readonly BrokerAddress[]): void => {
    const others = list.filter(({ id }) => id !== options.ownId);
    if (sameBrokers(known, others)) return;
    known = others;
    const named = new Set(others.map(({ id }) => id));
    for (const [id, peer] of peers) {
      peer.retireAtMs = named.has(id) ? Infinity : Math.min(peer.retireAtMs, nowMs() + RETIRE_MS);
    }
    for (const address of others) {
      const peer = peers.get(address.id);
      if (peer) peer.moveTo(address);
      else peers.set(address.id, connect(address));
      peers.get(address.id)!.listen(true, []);
    }
  };
  const stopTicking = every(TICK_MS, () => {
    for (const [id, peer] of peers) {
      peer.tick();
      if (peer.retireAtMs > nowMs()) continue;
      peer.close();
      peers.delete(id);
    }
    questions.expire(nowMs());
  });
  const stopFollowing = options.heralds.length > 0 ? followBrokers(options.heralds, setPeers) : () => {};
  setPeers(options.brokers);
  return () => {
    stopFollowing();
    stopTicking();
    for (const peer of peers.values()) peer.close();
    peers.clear();
  };
}
