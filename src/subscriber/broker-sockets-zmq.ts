// A subscriber's two sockets to one broker: XSUB for what is published, DEALER to ask for what was missed.

import { Dealer, XSubscriber } from 'zeromq';
import { keepConnecting } from '../daemon/connect-zmq.ts';
import type { CurveClient } from '../daemon/zeromq-options.ts';
import {
  addressFamily,
  baseSocketOptions,
  BATCH_QUEUE,
  curveClientOptions,
  ENVELOPE_QUEUE,
} from '../daemon/zeromq-options.ts';
import { ByteWriter } from '../protocol/bytes.ts';
import type { BrokerAddress } from '../protocol/broker-address.ts';
import type { RepairRequest } from '../protocol/publication-repair.ts';
import { encodeRepairRequest } from '../protocol/publication-repair.ts';

export interface BrokerSocketEvents {
  /** `notes`: of traced messages, where the broker added a part for them. */
  onEnvelope: (frame: Buffer, notes?: Buffer) => void;
  onReply: (frame: Buffer) => void;
  /** Both sockets are connected, or one is not any more, closed from this side included. */
  onConnected: (connected: boolean) => void;
  /** It is there, and lets this side not in. */
  onRefused?: (why: string) => void;
}

export interface BrokerSockets {
  readonly connected: boolean;
  subscribe(filter: Uint8Array): void;
  unsubscribe(filter: Uint8Array): void;
  ask(request: RepairRequest): void;
  close(): void;
}

export function openBrokerSockets(
  address: BrokerAddress,
  curve: CurveClient | undefined,
  events: BrokerSocketEvents,
): BrokerSockets {
  const feed = new XSubscriber({
    ...addressFamily(address.subscribe),
    ...baseSocketOptions,
    ...curveClientOptions(curve),
    receiveHighWaterMark: ENVELOPE_QUEUE,
    // A limit here loses subscriptions silently; there are at most 258.
    sendHighWaterMark: 0,
  });
  const repair = new Dealer({
    ...addressFamily(address.repair),
    ...baseSocketOptions,
    ...curveClientOptions(curve),
    // Time for a goodbye to leave: without it a draining broker would wait for this gateway.
    linger: 200,
    // A question for a broker that is not there must not wait for its next life.
    immediate: true,
    sendHighWaterMark: BATCH_QUEUE,
    receiveHighWaterMark: BATCH_QUEUE,
  });
  const writer = new ByteWriter();
  const up = { feed: false, repair: false };
  let open = true;

  const note = (socket: 'feed' | 'repair', isUp: boolean): void => {
    if (!open) return;
    const wasConnected = up.feed && up.repair;
    up[socket] = isUp;
    // The second that goes, or the first that is back, is no news.
    if (wasConnected !== (up.feed && up.repair)) events.onConnected(!wasConnected);
  };
  for (const [name, socket] of [
    ['feed', feed],
    ['repair', repair],
  ] as const) {
    socket.events.on('handshake', () => note(name, true));
    socket.events.on('disconnect', () => note(name, false));
  }
  void readAll(feed, (frame, notes) => {
    if (open) events.onEnvelope(frame, notes);
  });
  void readAll(repair, (frame) => {
    if (open) events.onReply(frame);
  });
  const refused = (why: string): void => events.onRefused?.(why);
  keepConnecting(feed, address.subscribe, refused);
  keepConnecting(repair, address.repair, refused);

  const filter = (joined: 0 | 1, bytes: Uint8Array): void => {
    // An XSUB without a limit takes every subscription at once and repeats them after a reconnect.
    feed.send(Uint8Array.of(joined, ...bytes)).catch(() => note('feed', false));
  };

  return {
    get connected() {
      return up.feed && up.repair;
    },
    subscribe: (bytes) => filter(1, bytes),
    unsubscribe: (bytes) => filter(0, bytes),
    ask(request) {
      // A question can come up while all closes; a closed socket throws.
      if (!open) return;
      // Refused only while there is no connection; whoever asked has a deadline and asks again.
      repair.send(encodeRepairRequest(writer, request)).catch(() => {});
    },
    close() {
      note('feed', false);
      open = false;
      feed.close();
      repair.close();
    },
  };
}

async function readAll(
  socket: XSubscriber | Dealer,
  take: (frame: Buffer, notes?: Buffer) => void,
): Promise<void> {
  for await (const [frame, notes] of socket) if (frame) take(frame, notes);
}
