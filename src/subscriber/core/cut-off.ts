// Whether a broker may have gone on after it was heard last: then nobody here knows what it sent, and if it dies before
// it is heard again, there may be a loss that no sequence shows. A process that dies closes its connections at once.

/** So long after its connection broke no word of its death, however slow, can still pass for one of its life. */
const LATE_WORD_MS = 800;
/** It sends its heads each second, and the heartbeat of a socket breaks a silent connection after 1.5 to 2 s. */
const SILENT_MS = 1_400;
/** After a sleep, what had come before it is read first, and the end of the connection then. */
const SLEEP_SHOWS_MS = 5_000;

export class CutOff {
  #heardMs = -Infinity;
  #brokenMs: number | undefined;
  #lookedMs: number | undefined;
  #sleptMs = -Infinity;
  #isCut = false;

  get isCut(): boolean {
    return this.#isCut;
  }

  /** Since when it has not been connected; undefined while it is. */
  get brokenMs(): number | undefined {
    return this.#brokenMs;
  }

  /** Any frame of it came: what was missed until then shows by its sequences. */
  heard(nowMs: number): void {
    this.#heardMs = nowMs;
    this.#brokenMs = undefined;
    this.#isCut = false;
  }

  /** It answered what it was asked after any sleep: what was missed during that shows by its sequences. */
  answered(nowMs: number): void {
    this.#sleptMs = -Infinity;
    this.heard(nowMs);
  }

  /** The connection is gone, or still is. */
  broke(nowMs: number): void {
    this.tick(nowMs);
    if (this.#brokenMs !== undefined) return;
    this.#brokenMs = nowMs;
    if (nowMs - this.#heardMs > SILENT_MS || nowMs - this.#sleptMs < SLEEP_SHOWS_MS) this.#isCut = true;
  }

  /** This side turns away from a connection that stands: what else comes on it is not read. */
  left(): void {
    this.#isCut = true;
  }

  /** It announced itself to somebody else then. */
  announced(atMs: number): void {
    if (atMs - (this.#brokenMs ?? Infinity) > LATE_WORD_MS) this.#isCut = true;
  }

  /** Each 100 ms. True right after a sleep. */
  tick(nowMs: number): boolean {
    const slept = nowMs - (this.#lookedMs ?? nowMs) > SILENT_MS;
    if (slept) this.#sleptMs = nowMs;
    this.#lookedMs = nowMs;
    return slept;
  }
}
