// What a cluster's subscribers want, asked of each of its brokers twice a second: every gateway tells every
// broker its buckets, so one answer would do, but a gateway may not have reached all of them yet.

import { every } from '../daemon/clock.ts';
import type { CurveClient } from '../daemon/zeromq-options.ts';
import type { BucketSet } from '../protocol/bucket.ts';
import { emptyBucketSet } from '../protocol/bucket.ts';
import { sameBrokers } from '../protocol/bucket-owner.ts';
import type { BrokerAddress } from '../protocol/broker-address.ts';
import { createFrameNames } from '../protocol/publication.ts';
import { decodeRepairReply } from '../protocol/publication-repair.ts';
import { followBrokers } from '../publisher/discovery.ts';
import type { BrokerSockets } from './broker-sockets-zmq.ts';
import { openBrokerSockets } from './broker-sockets-zmq.ts';
import { LastingInterest } from './core/lasting-interest.ts';

const PERIOD_MS = 500;

export interface InterestWatch {
  close(): void;
}

/** Calls `onInterest` with what any broker said of late (core/lasting-interest.ts), each time an answer changed it. */
export function watchInterest(
  heralds: readonly string[],
  brokers: readonly BrokerAddress[],
  curve: CurveClient | undefined,
  onInterest: (wanted: BucketSet) => void,
): InterestWatch {
  const names = createFrameNames();
  const asked = new Map<string, BrokerSockets>();
  const interest = new LastingInterest();
  let known: readonly BrokerAddress[] = [];
  let last = emptyBucketSet();
  let request = 1;

  const tell = (): void => {
    const { wanted } = interest;
    if (wanted.every((byte, i) => byte === last[i])) return;
    last = wanted;
    onInterest(wanted);
  };
  const open = (address: BrokerAddress): BrokerSockets =>
    openBrokerSockets(address, curve, {
      onEnvelope: () => {},
      onReply(frame) {
        const reply = decodeRepairReply(frame, names);
        if (!reply.ok || reply.value.kind !== 'interest') return;
        interest.answered(reply.value.interest, performance.now());
        tell();
      },
      onConnected: (connected) => {
        if (connected) asked.get(address.id)?.ask({ request: request++, kind: 'interest' });
      },
    });
  const setBrokers = (list: readonly BrokerAddress[]): void => {
    if (sameBrokers(known, list)) return;
    known = list;
    for (const sockets of asked.values()) sockets.close();
    asked.clear();
    for (const address of list) asked.set(address.id, open(address));
  };

  const stopAsking = every(PERIOD_MS, () => {
    for (const sockets of asked.values()) sockets.ask({ request: request++, kind: 'interest' });
  });
  const stopFollowing = heralds.length > 0 ? followBrokers(heralds, setBrokers) : () => {};
  setBrokers(brokers);
  return {
    close() {
      stopAsking();
      stopFollowing();
      for (const sockets of asked.values()) sockets.close();
    },
  };
}
