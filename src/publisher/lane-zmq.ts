// (7) A publisher's connection to one broker: a DEALER that says when it is up and when it is gone, sends batches
// and hands in acks. It queues nothing: what cannot be sent at once stays with the outbox.

import { context, Dealer } from 'zeromq';
import { keepConnecting } from '../daemon/connect-zmq.ts';
import type { CurveClient } from '../daemon/zeromq-options.ts';
import {
  addressFamily,
  baseSocketOptions,
  BATCH_QUEUE,
  curveClientOptions,
} from '../daemon/zeromq-options.ts';

/** Default 1,023 for all of a program; a lane takes three, and a program may have many publishers for many brokers. */
context.maxSockets = Math.max(context.maxSockets, 16_384);

export interface LaneEvents {
  onUp: () => void;
  onDown: () => void;
  onFrame: (frame: Buffer) => void;
  /** The broker is there, and lets this side not in. */
  onRefused: (why: string) => void;
}

export interface LaneSocket {
  /** `notes`: of the traced messages in it. */
  send(frame: Uint8Array, notes?: Uint8Array): void;
  close(): void;
}

/** `name`: no other connection of anybody has it. */
export function openLane(
  endpoint: string,
  name: string,
  curve: CurveClient | undefined,
  events: LaneEvents,
): LaneSocket {
  const socket = new Dealer({
    ...addressFamily(endpoint),
    ...baseSocketOptions,
    ...curveClientOptions(curve),
    routingId: name,
    // Never to a connection that is not there yet: a batch queued for a dead broker would arrive after a retry.
    immediate: true,
    // The outbox limits what is in flight; a limit here would only turn a full queue into an error.
    sendHighWaterMark: 0,
    receiveHighWaterMark: BATCH_QUEUE,
    // The time a last ack or batch may take at close; close() has waited for the acks already.
    linger: 0,
  });
  let open = true;
  const down = (): void => {
    if (open) events.onDown();
  };
  try {
    socket.events.on('handshake', () => {
      if (open) events.onUp();
    });
    socket.events.on('disconnect', down);
    keepConnecting(socket, endpoint, events.onRefused);
  } catch (error) {
    // Its events are two sockets more, for which there may be no room.
    socket.close();
    throw error;
  }
  void readAcks(socket, (frame) => {
    if (open) events.onFrame(frame);
  });

  return {
    send(frame, notes) {
      // Only a connection that just went away refuses; its end is the outbox's sign to send elsewhere.
      socket.send(notes ? [frame, notes] : frame).catch(down);
    },
    close() {
      open = false;
      socket.close();
    },
  };
}

async function readAcks(socket: Dealer, take: (frame: Buffer) => void): Promise<void> {
  for await (const [frame] of socket) if (frame) take(frame);
}
