// (7) A publisher's connections, a lane to each broker it knows, and which of them stand.

import { randomBytes } from 'node:crypto';
import { codeOf } from '../daemon/thrown.ts';
import type { CurveClient } from '../daemon/zeromq-options.ts';
import { connectionName } from '../protocol/connection-name.ts';
import type { BrokerAddress } from '../protocol/broker-address.ts';
import type { LaneSocket } from './lane-zmq.ts';
import { openLane } from './lane-zmq.ts';

/** None is called for a lane that was closed. */
export interface LanesEvents {
  onUp: (broker: string) => void;
  onDown: (broker: string) => void;
  onFrame: (broker: string, frame: Buffer) => void;
}

interface Lane {
  endpoint: string;
  socket: LaneSocket;
  connected: boolean;
  /** Why the broker let this side not in; empty = it never said. */
  refusal: string;
}

export class Lanes {
  readonly #curve: CurveClient | undefined;
  readonly #events: LanesEvents;
  readonly #name = randomBytes(9).toString('base64url');
  #opened = 0;
  readonly #lanes = new Map<string, Lane>();

  constructor(curve: CurveClient | undefined, events: LanesEvents) {
    this.#curve = curve;
    this.#events = events;
  }

  /** To all of these brokers, as far as the program may have sockets; for the others, call it again. */
  open(brokers: readonly BrokerAddress[]): void {
    try {
      for (const broker of brokers) if (!this.#lanes.has(broker.id)) this.#open(broker);
    } catch (error) {
      if (codeOf(error) !== 'EMFILE') throw error;
    }
  }

  /** Closes the lanes that lead to none of these brokers; returns whose they were. */
  closeStray(brokers: readonly BrokerAddress[]): string[] {
    const endpoints = new Map(brokers.map(({ id, publish }) => [id, publish]));
    const stray = [...this.#lanes].flatMap(([id, { endpoint }]) =>
      endpoints.get(id) === endpoint ? [] : [id],
    );
    for (const id of stray) this.close(id);
    return stray;
  }

  close(broker: string): void {
    this.#lanes.get(broker)?.socket.close();
    this.#lanes.delete(broker);
  }

  isUp(broker: string): boolean {
    return this.#lanes.get(broker)?.connected === true;
  }

  send(broker: string, frame: Uint8Array, notes: Uint8Array | undefined): void {
    this.#lanes.get(broker)?.socket.send(frame, notes);
  }

  /** Why this broker let this side not in; empty when it never said. */
  refusalOf(broker: string): string {
    return this.#lanes.get(broker)?.refusal ?? '';
  }

  states(): { id: string; connected: boolean }[] {
    return [...this.#lanes].map(([id, { connected }]) => ({ id, connected }));
  }

  #open({ id, publish: endpoint }: BrokerAddress): void {
    const { onUp, onDown, onFrame } = this.#events;
    this.#opened += 1;
    const name = connectionName({ peer: `${this.#name}/${id}`, number: this.#opened });
    const socket = openLane(endpoint, name, this.#curve, {
      onUp: () => {
        lane.connected = true;
        onUp(id);
      },
      onDown: () => {
        // What comes next is another connection to the broker as well, under a name of its own.
        if (lane.connected) this.close(id);
        lane.connected = false;
        onDown(id);
      },
      onFrame: (frame) => onFrame(id, frame),
      onRefused: (why) => (lane.refusal = why),
    });
    const lane: Lane = { endpoint, socket, connected: false, refusal: '' };
    this.#lanes.set(id, lane);
  }
}
