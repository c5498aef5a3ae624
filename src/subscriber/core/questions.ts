// Questions a subscriber has asked brokers and the answers it still waits for. Each has a deadline; a broker that
// went away answers nothing, and the asker hears `undefined`.

import type { RepairReply } from '../../protocol/publication-repair.ts';

interface Waiting {
  untilMs: number;
  settle: (reply: RepairReply | undefined) => void;
}

/** Open questions at once; more are answered with `undefined`. */
const MAX_OPEN = 20_000;

export class Questions {
  readonly #waiting = new Map<number, Waiting>();
  #next = 1;

  /** A number for a request that needs no bookkeeping. */
  number(): number {
    return this.#next++;
  }

  /** Registers a question; `send` gets its number. */
  ask(untilMs: number, send: (request: number) => void): Promise<RepairReply | undefined> {
    if (this.#waiting.size >= MAX_OPEN) return Promise.resolve(undefined);
    return new Promise((settle) => {
      const request = this.#next++;
      this.#waiting.set(request, { untilMs, settle });
      send(request);
    });
  }

  /** False when nobody waits for this reply. */
  answer(reply: RepairReply): boolean {
    const waiting = this.#waiting.get(reply.request);
    this.#waiting.delete(reply.request);
    waiting?.settle(reply);
    return waiting !== undefined;
  }

  /** Ends the questions whose time is up. */
  expire(nowMs: number): void {
    for (const [request, { untilMs, settle }] of this.#waiting) {
      if (untilMs > nowMs) continue;
      this.#waiting.delete(request);
      settle(undefined);
    }
  }
}
