// What the edges of one gateway share. Made by start-gateway.ts; each field has one owner, named beside it.

import type { Clock } from '../daemon/clock.ts';
import type { Log } from '../daemon/log.ts';
import type { Connection } from './clients/connection.ts';
import type { Admission } from './core/admission.ts';
import type { Capability } from './core/capabilities.ts';
import type { BrokerLink } from './core/feed-port.ts';
import type { Hub } from './core/hub.ts';
import type { DropCause } from './core/ledger.ts';
import type { Allocate } from './core/ws-frame.ts';
import type { GatewayConfig } from './config/gateway-options.ts';

/** Hands a client's publication to the brokers. Never rejects; has a deadline of its own. */
export type PublishForClient = (
  topic: string,
  data: Uint8Array,
) => Promise<{ ok: true } | { ok: false; why: string }>;

export interface GatewayParts {
  readonly config: GatewayConfig;
  readonly id: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly allocate: Allocate;
  readonly hub: Hub;
  readonly link: BrokerLink;
  readonly admission: Admission;
  readonly capabilities: readonly Capability[];
  readonly publish: PublishForClient | undefined;
  /** Connections above the soft buffer limit; each adds and removes itself. */
  readonly slow: Set<Connection>;
  /** To be closed as slow consumers at the next sweep. */
  readonly doomed: Set<Connection>;
  /** All that this process holds in buffers, garbage included. */
  readonly bytesInBuffers: () => number;
  /** Bytes handed to sockets since the start; added to where they are written. */
  deliveredBytes: number;
  /** Of replays that brokers were asked for, what clients have not read yet; added to where they are written. */
  unreadReplayBytes: number;
  /** Of messages that clients have not finished, as of each client's last chunk; added to where chunks are read. */
  unfinishedBytes: number;
  /** Socket writes of fan-out since the start: frames over writes is what collecting them saves. */
  writes: number;
  /** Frames the hub handed to a connection that had just begun to close, or is about to be for its slowness. */
  readonly undelivered: (frames: number, cause: DropCause) => void;
  /** Load a unit of `Connection.cost` stands for; set before connections are chosen to move. */
  loadPerCost: number;
}
