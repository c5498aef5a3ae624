// The brokers that one listens to, as the list of them changes.

import { sameBrokers } from '../protocol/bucket-owner.ts';
import type { BrokerAddress } from '../protocol/broker-address.ts';
import type { BrokerConnection } from './broker-connection.ts';

/**
 * A broker that left the list may only have missed its announcements, or a Herald that has just started does not know it
 * yet. Leaving it at once would lose what it sends meanwhile.
 */
export const RETIRE_MS = 5_000;
/** How many of the brokers that were left are recognised when they come back. */
const MAX_GONE = 16;

type Listed = Pick<BrokerConnection, 'moveTo' | 'listed' | 'tick' | 'close'>;

export class BrokerConnections<Connection extends Listed = BrokerConnection> {
  readonly #connect: (address: BrokerAddress) => Connection;
  readonly #nowMs: () => number;
  readonly #connections = new Map<string, Connection>();
  /** Brokers that are no longer in the list, and when to forget them. */
  readonly #retiring = new Map<string, number>();
  /** Closed. One that was frozen comes back in the same life, and is followed from where it was. */
  readonly #gone = new Map<string, Connection>();
  #list: readonly BrokerAddress[] = [];

  constructor(connect: (address: BrokerAddress) => Connection, nowMs: () => number) {
    this.#connect = connect;
    this.#nowMs = nowMs;
  }

  get(id: string): Connection | undefined {
    return this.#connections.get(id);
  }

  values(): IterableIterator<Connection> {
    return this.#connections.values();
  }

  /** `listen` is called for each broker of the list. Answers whether the list is another one than before. */
  follow(list: readonly BrokerAddress[], listen: (connection: Connection) => void): boolean {
    for (const address of list) this.#connections.get(address.id)?.listed(address);
    if (sameBrokers(this.#list, list)) return false;
    this.#list = list;
    const retireAtMs = this.#nowMs() + RETIRE_MS;
    for (const id of this.#connections.keys()) {
      if (!this.#retiring.has(id)) this.#retiring.set(id, retireAtMs);
    }
    for (const address of list) {
      this.#retiring.delete(address.id);
      const known = this.#connections.get(address.id) ?? this.#gone.get(address.id);
      this.#gone.delete(address.id);
      if (known) known.moveTo(address);
      const connection = known ?? this.#connect(address);
      this.#connections.set(address.id, connection);
      listen(connection);
    }
    return true;
  }

  tick(): void {
    for (const connection of this.#connections.values()) connection.tick();
    for (const [id, retireAtMs] of this.#retiring) {
      if (retireAtMs > this.#nowMs()) continue;
      this.#retiring.delete(id);
      this.#letGo(id);
    }
  }

  close(): void {
    for (const connection of this.#connections.values()) connection.close(true);
    this.#connections.clear();
    this.#retiring.clear();
    this.#gone.clear();
  }

  #letGo(id: string): void {
    const connection = this.#connections.get(id);
    if (!connection) return;
    connection.close();
    this.#connections.delete(id);
    this.#gone.set(id, connection);
    if (this.#gone.size <= MAX_GONE) return;
    const [oldest] = this.#gone.keys();
    this.#gone.delete(oldest!);
  }
}
