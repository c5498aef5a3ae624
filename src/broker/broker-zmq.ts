// (7) The broker's three ZeroMQ sockets: ROUTER in from publishers, XPUB out to gateways, ROUTER for repair. They
// move frames and decide nothing; start-broker.ts joins them to the core.

import { Router, XPublisher } from 'zeromq';
import { listening } from '../daemon/lifecycle.ts';
import type { CurveKeys } from '../daemon/zeromq-options.ts';
import {
  addressFamily,
  baseSocketOptions,
  BATCH_QUEUE,
  boundSocketOptions,
  curveServerOptions,
  ENVELOPE_QUEUE,
} from '../daemon/zeromq-options.ts';
import { LANE } from '../protocol/publication-envelope.ts';

export interface OwnSocketsOptions {
  /** `tcp://host:port` each; port 0 or `*` takes a free one. */
  publish: string;
  subscribe: string;
  repair: string;
  curve?: CurveKeys;
  /** How long close() may go on writing what was already sent. */
  lingerMs: number;
  /** A socket failed in a way that should not happen. */
  onError: (socket: string, error: unknown) => void;
}

/** `notes`: of traced messages, where the sender added a part for them. */
export type TakeFrame = (peer: Buffer, frame: Buffer, notes?: Buffer) => void;

/** Which lanes have any listener, as the XPUB side tells it. */
export interface Listeners {
  wide: boolean;
  narrow: ReadonlySet<number>;
}

export interface OwnSockets {
  /** Endpoints as bound, with the real ports. */
  readonly endpoints: { publish: string; subscribe: string; repair: string };
  readonly listeners: Listeners;
  /** Starts handing in what arrives. Not before everything it needs is there: peers may be waiting already. */
  read(onPublish: TakeFrame, onRepair: TakeFrame): void;
  /** Hands an envelope to every gateway that listens for it; drops for those whose queue is full. */
  broadcast(frame: Uint8Array, notes?: Uint8Array): void;
  reply(socket: 'publish' | 'repair', peer: Buffer, frame: Uint8Array): void;
  /**
   * What waits unread is answered by nobody. Never preceded by `unbind()`: the library runs that on another
   * thread while this one still uses the socket, and libzmq then aborts the process.
   */
  close(): Promise<void>;
}

/** Throws a StartError that names the option for an address that it cannot bind. */
export async function openOwnSockets(options: OwnSocketsOptions): Promise<OwnSockets> {
  const curve = curveServerOptions(options.curve);
  const bound = (address: string) => ({
    ...addressFamily(address),
    ...baseSocketOptions,
    ...boundSocketOptions,
    ...curve,
    linger: options.lingerMs,
  });
  const router = (address: string): Router =>
    new Router({
      ...bound(address),
      receiveHighWaterMark: BATCH_QUEUE,
      // Answers are small and somebody waits for them; losing an ack costs a retry of the whole batch.
      sendHighWaterMark: BATCH_QUEUE,
      // Default true would make a send to a peer that just left an error.
      mandatory: false,
      // A peer that reconnects under its old identity takes over at once.
      handover: true,
    });
  const intake = router(options.publish);
  const out = new XPublisher({
    ...bound(options.subscribe),
    sendHighWaterMark: ENVELOPE_QUEUE,
    receiveHighWaterMark: 0,
    // Never true: one frozen gateway would stall all the others.
    noDrop: false,
  });
  const repair = router(options.repair);

  try {
    await bind(intake, options.publish, '--publish-listen');
    await bind(out, options.subscribe, '--subscribe-listen');
    await bind(repair, options.repair, '--repair-listen');
  } catch (error) {
    for (const socket of [intake, out, repair]) socket.close();
    throw error;
  }

  let closing = false;
  const narrow = new Set<number>();
  const listeners = { wide: false, narrow };
  const failed = (socket: string) => (error: unknown) => {
    if (!closing) options.onError(socket, error);
  };

  let reading: Promise<void>[] = [];
  // What a reader throws is a defect of ours, not of a peer: it ends the process unless the socket was closed.
  const unlessClosing = (error: unknown): void => {
    if (!closing) throw error;
  };
  const sockets = { publish: intake, repair };

  return {
    endpoints: {
      publish: intake.lastEndpoint!,
      subscribe: out.lastEndpoint!,
      repair: repair.lastEndpoint!,
    },
    listeners,
    read(onPublish, onRepair) {
      reading = [
        readPeers(intake, onPublish),
        readPeers(repair, onRepair),
        readSubscriptions(out, listeners),
      ].map((one) => one.catch(unlessClosing));
    },
    broadcast(frame, notes) {
      out.send(notes ? [frame, notes] : frame).catch(failed('subscribe'));
    },
    reply(socket, peer, frame) {
      // An ack may have waited for a slow disk all through the end; a closed socket throws.
      if (closing) return;
      // A peer that left is no failure: the library reports an unroutable message only when asked to.
      sockets[socket].send([peer, frame]).catch(failed(socket));
    },
    async close() {
      closing = true;
      for (const socket of [intake, out, repair]) socket.close();
      await Promise.all(reading);
    },
  };
}

function bind(socket: Router | XPublisher, endpoint: string, flag: string): Promise<void> {
  return listening(socket.bind(wildcard(endpoint)), endpoint.slice('tcp://'.length), flag);
}

function wildcard(endpoint: string): string {
  return endpoint.replace(/:0$/, ':*');
}

async function readPeers(socket: Router, take: TakeFrame): Promise<void> {
  for await (const [peer, frame, notes] of socket) if (peer && frame) take(peer, frame, notes);
}

/**
 * Subscription messages are 1 or 0 and the filter; only a filter's first and last listener show up. A peer may send
 * anything else here as well.
 */
async function readSubscriptions(
  socket: XPublisher,
  listeners: { wide: boolean; narrow: Set<number> },
): Promise<void> {
  for await (const [message] of socket) {
    if (message?.length !== 3) continue;
    const [joined, bucket, lane] = message as unknown as [number, number, number];
    if (joined > 1) continue;
    if (lane === LANE.wide) listeners.wide = joined === 1;
    else if (lane === LANE.narrow && joined === 1) listeners.narrow.add(bucket);
    else if (lane === LANE.narrow) listeners.narrow.delete(bucket);
  }
}
