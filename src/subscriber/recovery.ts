// Mends the stream of a broker that is gone from the copies that other brokers keep: at once when the connection
// breaks, in case it comes back, and for good when its life has ended.

import { every } from '../daemon/clock.ts';
import type { BrokerConnection } from './broker-connection.ts';
import type { FollowedEpoch, GiveUp, Recovered, StandIn } from './core/recover-epoch.ts';
import { recoverEpoch } from './core/recover-epoch.ts';
import type { UnheardEnd } from './core/unheard-ends.ts';
import { UnheardEnds } from './core/unheard-ends.ts';

export interface RecoveryHost {
  connections(): Iterable<BrokerConnection>;
  /** May stand still while no broker is there. */
  nowMs(): number;
  repaired(count: number): void;
  /** Nowhere any more. `holder` knows where the topics of that epoch stood, if any broker does. */
  lost(from: BrokerConnection, epoch: string, bucket: number, count: number, holder?: StandIn): void;
  /** That life did not come back, and more of it may be lost than anybody knows of. */
  uncounted(from: BrokerConnection, followed: FollowedEpoch): void;
}

/**
 * How long to ask again for what is missing while some broker does not answer: a subscriber that was frozen must first
 * reconnect to them.
 */
const GIVE_UP_MS = 5_000;
const AGAIN_MS = 500;
/**
 * What a broker had acked was published before it died, but by the clock of the publisher: only so long after its
 * connection ended is it a sign of its life.
 */
const CLOCKS_APART_MS = 1_500;

interface Ended extends UnheardEnd<BrokerConnection> {
  untilMs: number;
}

export class Recovery {
  readonly #host: RecoveryHost;
  readonly #ended = new Set<Ended>();
  readonly #unheard = new UnheardEnds<BrokerConnection>();
  readonly #busy = new Set<string>();
  /** Lives whose connection broke while there were other brokers. */
  readonly #accompanied = new Set<string>();
  readonly #stop: () => void;
  #closed = false;

  constructor(host: RecoveryHost) {
    this.#host = host;
    this.#stop = every(AGAIN_MS, () => {
      for (const ended of this.#ended) void this.#finish(ended);
      this.#tellUncounted();
    });
  }

  /** The connection is broken and the broker may come back: fetches what can be had elsewhere. */
  mend(from: BrokerConnection, followed: FollowedEpoch): void {
    if (!this.#isAlone) this.#accompanied.add(followed.epoch);
    void this.#recover(from, followed, 'never');
  }

  /** That life of the broker is over. */
  ended(from: BrokerConnection, followed: FollowedEpoch): void {
    if (this.#closed) return;
    // It came back in that life since it ended before: this end is what counts.
    for (const before of this.#ended)
      if (before.followed.epoch === followed.epoch) this.#ended.delete(before);
    this.#unheard.forget(followed.epoch);
    // What is sent again from now on may be of this life.
    for (const before of this.#pending()) before.followed.quietMs = undefined;
    if (this.#accompanied.delete(followed.epoch) || !this.#isAlone) followed.quietMs = undefined;
    const ended = { from, followed, untilMs: this.#host.nowMs() + GIVE_UP_MS };
    this.#ended.add(ended);
    void this.#finish(ended);
  }

  /**
   * A message came that a broker which is gone had acked, and that was published at `atMs`. Where there is but one broker,
   * its life before went on until then.
   */
  sentAgain(atMs: number): void {
    const wentOn = this.#pending().filter(
      ({ followed: { quietMs = Infinity } }) => atMs - quietMs > CLOCKS_APART_MS,
    );
    if (wentOn.length === 0 || !this.#isAlone) return;
    for (const { followed } of wentOn) followed.wasCut = true;
    this.#tellUncounted();
  }

  /** Gives up on everything. */
  close(): void {
    this.#closed = true;
    this.#stop();
    this.#ended.clear();
  }

  get #isAlone(): boolean {
    return [...this.#host.connections()].length === 1;
  }

  #pending(): UnheardEnd<BrokerConnection>[] {
    return [...this.#ended, ...this.#unheard.waiting];
  }

  async #finish(ended: Ended): Promise<void> {
    const { from, followed, untilMs } = ended;
    const giveUp = this.#host.nowMs() < untilMs ? 'proven' : 'now';
    const recovered = await this.#recover(from, followed, giveUp);
    if (!recovered?.isWhole || !recovered.isFinal || !this.#ended.delete(ended)) return;
    if (recovered.isKnown) return;
    this.#unheard.add(from, followed, this.#host.nowMs());
    this.#tellUncounted();
  }

  #tellUncounted(): void {
    for (const { from, followed } of this.#unheard.takeCertain(this.#host.nowMs())) {
      this.#host.uncounted(from, followed);
    }
  }

  /** Undefined while it is under way already. */
  async #recover(
    from: BrokerConnection,
    followed: FollowedEpoch,
    giveUp: GiveUp,
  ): Promise<Recovered | undefined> {
    const { epoch } = followed;
    if (this.#busy.has(epoch)) return undefined;
    this.#busy.add(epoch);
    // The next life of the same broker may have a journal of this one.
    const standIns = [...this.#host.connections()];
    try {
      return await recoverEpoch(followed, standIns, giveUp, {
        repaired: (count) => this.#host.repaired(count),
        lost: (bucket, count, holder) => {
          if (!this.#closed) this.#host.lost(from, epoch, bucket, count, holder);
        },
      });
    } finally {
      this.#busy.delete(epoch);
    }
  }
}
