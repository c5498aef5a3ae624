// Whether a broker may have gone on after it was heard last: then nobody here knows what it sent, and if it dies before
// it is heard again, there may be a loss that no sequence shows. A process that dies closes its connections at once.

/** It sends its heads each second, and the heartbeat of a socket breaks a silent connection after 1.5 to 2 s. */
const SILENT_MS = 1_400;
/** After a sleep, what had come before it is read first, and the end of the connection then. */
const SLEEP_SHOWS_MS = 5_000;
/** Longer than a list names a dead broker: three missed announcements, or a session of ZooKeeper. */
const LISTED_MS = 10_000;

export class CutOff {
  #heardMs = -Infinity;
  #brokenMs: number | undefined;
  #lookedMs: number | undefined;
  #sleptMs = -Infinity;
  #isCut = false;

  get isCut(): boolean {
    return this.#isCut;
  }

  /** Any frame of it came: what was missed until then shows by its sequences. */
  heard(nowMs: number): void {
    this.#heardMs = nowMs;
    this.#brokenMs = undefined;
    this.#isCut = false;
  }

  /** The connection is gone, or still is. */
  broke(nowMs: number): void {
    this.#look(nowMs);
    if (this.#brokenMs !== undefined) return;
    this.#brokenMs = nowMs;
    if (nowMs - this.#heardMs > SILENT_MS || nowMs - this.#sleptMs < SLEEP_SHOWS_MS) this.#isCut = true;
  }

  /** Each 100 ms. `isListed`: others say that it lives. */
  tick(isListed: boolean, nowMs: number): void {
    this.#look(nowMs);
    if (isListed && nowMs - (this.#brokenMs ?? nowMs) > LISTED_MS) this.#isCut = true;
  }

  #look(nowMs: number): void {
    if (nowMs - (this.#lookedMs ?? nowMs) > SILENT_MS) this.#sleptMs = nowMs;
    this.#lookedMs = nowMs;
  }
}
