// (6) Whether a connection still lives: when to look again, when to ask, when to give it up.

/** From the first byte to the last topic in force; covers a gateway that accepts and then says nothing. */
const CONNECT_DEADLINE_MS = 15_000;
/**
 * The gateway pings each period, so one that is late by a fifth is asked, and given up when it does not answer within
 * two fifths. A cut without a word is thus noticed after 1.6 periods at most, and nobody is given up unasked.
 */
const ASK_AFTER_PINGS = 1.2;
const ANSWER_WITHIN_PINGS = 0.4;
/** The same after a wake-up, where many a socket is dead: a network that is just back answers within this. */
const WAKE_ANSWER_MS = 5_000;
/** Below it a busy machine at either end would look like a cut. */
const LEAST_ANSWER_MS = 1_000;
const MIN_PING_MS = 1_000;

/** `ask`: send a ping. Both say after how many ms to look again. */
export type LifeVerdict = { is: 'fine' | 'ask'; againMs: number } | { is: 'dead'; why: string };

export class LifeSigns {
  #openedMs = 0;
  #heardMs = 0;
  #pingMs = 0;
  #isLive = false;
  /** It was asked whether it lives, and shall answer until then; undefined once anything was heard. */
  #answerDueMs: number | undefined;

  get heardMs(): number {
    return this.#heardMs;
  }

  /** The way to the gateway begins. */
  begin(nowMs: number): LifeVerdict {
    this.#openedMs = nowMs;
    this.#heardMs = nowMs;
    return { is: 'fine', againMs: CONNECT_DEADLINE_MS };
  }

  heard(nowMs: number): void {
    this.#heardMs = nowMs;
    this.#answerDueMs = undefined;
  }

  /** Every topic is in force; from now on the gateway's pings count, one each `pingMs`. */
  live(pingMs: number): LifeVerdict {
    this.#isLive = true;
    this.#pingMs = Math.max(MIN_PING_MS, pingMs);
    return { is: 'fine', againMs: ASK_AFTER_PINGS * this.#pingMs };
  }

  look(nowMs: number): LifeVerdict {
    if (!this.#isLive) {
      const leftMs = this.#openedMs + CONNECT_DEADLINE_MS - nowMs;
      return leftMs > 0 ? { is: 'fine', againMs: leftMs } : { is: 'dead', why: 'no answer in time' };
    }
    const dueMs = this.#answerDueMs ?? this.#heardMs + ASK_AFTER_PINGS * this.#pingMs;
    if (nowMs < dueMs) return { is: 'fine', againMs: dueMs - nowMs };
    if (this.#answerDueMs !== undefined) return { is: 'dead', why: 'silent for too long' };
    return this.#ask(nowMs, Infinity);
  }

  /** The network or the machine may have been away. Undefined when it is asked already, or not live yet. */
  woken(nowMs: number): LifeVerdict | undefined {
    if (!this.#isLive || this.#answerDueMs !== undefined) return undefined;
    return this.#ask(nowMs, WAKE_ANSWER_MS);
  }

  #ask(nowMs: number, mostMs: number): LifeVerdict {
    const againMs = Math.min(mostMs, Math.max(LEAST_ANSWER_MS, ANSWER_WITHIN_PINGS * this.#pingMs));
    this.#answerDueMs = nowMs + againMs;
    return { is: 'ask', againMs };
  }
}
