// How long a server gets to answer a handshake. A server without a quorum accepts handshakes and answers none, not even
// those of before it finds one, while the next server may serve already: so waits are short. They grow only while most
// servers stay mute round after round, since those may just be slow; a minority could not serve anyway.

/** Shares of the deadline, by rounds; an election is over within the first ones. */
const SHARES = [0.25, 0.25, 0.5, 0.5, 1];

export class HandshakePatience {
  readonly #servers: number;
  readonly #deadlineMs: number;
  /** Servers that left their last handshake unanswered. */
  readonly #mute = new Set<string>();
  #attempts = 0;
  /** Rounds over all servers, one after the other, in which most of them were mute. */
  #muteRounds = 0;

  constructor(servers: number, deadlineMs: number) {
    this.#servers = servers;
    this.#deadlineMs = deadlineMs;
  }

  /** For the next attempt. There is nobody to go on to from a single server. */
  get waitMs(): number {
    return this.#deadlineMs * (this.#servers === 1 ? 1 : SHARES[this.#muteRounds % SHARES.length]!);
  }

  /** An attempt failed: the server refused, closed, or was mute until the wait was over. */
  failed(server: string, wasMute: boolean): void {
    if (wasMute) this.#mute.add(server);
    else this.#mute.delete(server);
    this.#attempts += 1;
    if (this.#attempts % this.#servers > 0) return;
    this.#muteRounds = 2 * this.#mute.size > this.#servers ? this.#muteRounds + 1 : 0;
  }

  connected(): void {
    this.#mute.clear();
    this.#attempts = 0;
    this.#muteRounds = 0;
  }
}
