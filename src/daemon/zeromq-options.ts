// The socket options of every ZeroMQ socket of ours, each set because its default hurts (docs/broker.md has
// the measurements). Plain data: the doors (`*-zmq.ts`) pass it to the library.

import { PUBLICATION_LIMITS } from '../protocol/publication.ts';

/** Z85 texts of 40 characters, as `herald keys` prints them. */
export interface CurveKeys {
  publicKey: string;
  secretKey: string;
}

/** What a client of a broker needs for CURVE: its own pair and the broker's public key. */
export interface CurveClient extends CurveKeys {
  serverKey: string;
}

export const baseSocketOptions = {
  // Default -1: close() would wait for ever for a peer that never comes back.
  linger: 0,
  // Default -1: after 512 sends without a turn of the poller the library waits before the next one, and a
  // send while it waits throws EBUSY. At 0 a send is taken or refused (EAGAIN) at once.
  sendTimeout: 0,
  // Default -1, no limit: one frame of a broken peer could take all memory. Larger frames close the peer.
  maxMessageSize: PUBLICATION_LIMITS.maxFrameBytes + 65_536,
  // Default 30 s: peers that connect and say nothing, or garbage, would be held that long.
  handshakeInterval: 3_000,
  // Default 0, off: a frozen or cut-off peer would go unnoticed until the kernel gives up (minutes).
  heartbeatInterval: 500,
  heartbeatTimeout: 1_500,
  heartbeatTimeToLive: 1_500,
  // Default: 100 ms for ever. A restarted broker is found quickly, a dead one not hammered.
  reconnectInterval: 50,
  reconnectMaxInterval: 1_000,
  // Default: the kernel's, over two minutes for a host that drops packets.
  connectTimeout: 2_000,
} as const;

/**
 * Off by default, and then `tcp://[::1]:7420` fails with "no such device". Not on for every endpoint: a host name would
 * resolve to its IPv6 address first, and the library tries no other.
 */
export function addressFamily(endpoint: string): { ipv6: boolean } {
  return { ipv6: endpoint.startsWith('tcp://[') };
}

/**
 * Envelopes (not messages) a broker queues for one gateway, and a gateway for itself. More is dropped, seen
 * by the sequence and repaired. At the usual envelope of a few KB this is some seconds of traffic.
 */
export const ENVELOPE_QUEUE = 2_000;

/** Batches a broker queues from one publisher; the publisher's own window of unacked batches is smaller. */
export const BATCH_QUEUE = 1_000;

/**
 * For sockets that strangers can reach. No ZAP handler runs here, but without a domain the library takes a peer that
 * does not speak ZeroMQ for one of ZMTP 1.0 and keeps it for ever, beyond the handshake limit and the heartbeat.
 */
export const boundSocketOptions = { zapDomain: 'herald' } as const;

export function curveServerOptions(keys: CurveKeys | undefined): Record<string, unknown> {
  if (!keys) return {};
  return { curveServer: true, curvePublicKey: keys.publicKey, curveSecretKey: keys.secretKey };
}

export function curveClientOptions(keys: CurveClient | undefined): Record<string, unknown> {
  if (!keys) return {};
  return {
    curveServerKey: keys.serverKey,
    curvePublicKey: keys.publicKey,
    curveSecretKey: keys.secretKey,
  };
}
