// Questions a link has asked brokers and the answers it still waits for. Each has a deadline; a broker that
// went away answers nothing, and the asker hears `undefined`.

import type { TopicAnswer } from '../../protocol/publication-repair.ts';

export interface TopicsAnswer {
  epoch: string;
  answers: TopicAnswer[];
}

interface Waiting {
  untilMs: number;
  settle: (answer: TopicsAnswer | undefined) => void;
}

/** Open questions at once; more are answered with `undefined`. */
const MAX_OPEN = 20_000;

export class FeedQuestions {
  readonly #waiting = new Map<number, Waiting>();
  #next = 1;

  /** A number for a request that needs no bookkeeping. */
  number(): number {
    return this.#next++;
  }

  /** Registers a question; `send` gets its number. */
  ask(untilMs: number, send: (request: number) => void): Promise<TopicsAnswer | undefined> {
    if (this.#waiting.size >= MAX_OPEN) return Promise.resolve(undefined);
    return new Promise((settle) => {
      const request = this.#next++;
      this.#waiting.set(request, { untilMs, settle });
      send(request);
    });
  }

  answer(request: number, answer: TopicsAnswer): void {
    const waiting = this.#waiting.get(request);
    this.#waiting.delete(request);
    waiting?.settle(answer);
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
