// Every client of a run as a row of typed arrays. A client that must look up again (its gateway died, or it
// was told to move) becomes a new row: the old one may still wait in the calendar and ends there.

const FREE = 0;
export const LOOKING_UP = 1;
export const CONNECTING = 2;
export const RAMPING = 3;
export const CONNECTED = 4;
/** Over, but still in the calendar. */
export const ENDED = 5;

export class Clients {
  state = new Uint8Array(1 << 16);
  /** Load it causes at full cost, on capacity 1. */
  cost = new Float64Array(1 << 16);
  rampMs = new Float32Array(1 << 16);
  /** When it leaves; Infinity beyond the run. */
  leavesAtMs = new Float64Array(1 << 16);
  openedAtMs = new Float64Array(1 << 16);
  gateway = new Int16Array(1 << 16);
  /** Index in its gateway's list. */
  place = new Int32Array(1 << 16);
  /** The row it moves away from, or -1. */
  movesFrom = new Int32Array(1 << 16);
  movedAtMs = new Float64Array(1 << 16);
  /** Who issued its ticket, or -1. */
  replica = new Int16Array(1 << 16);
  /** When it first asked for a gateway, for the mean wait. */
  firstAskedAtMs = new Float64Array(1 << 16);
  /** Part of the crowd of a hot topic. */
  hot = new Uint8Array(1 << 16);
  /** Was connected before: it resumes. */
  returns = new Uint8Array(1 << 16);
  /** Waits in the calendar. */
  waiting = new Uint8Array(1 << 16);
  readonly #free: number[] = [];
  #used = 0;

  take(): number {
    const client = this.#free.pop() ?? this.#used++;
    if (client >= this.state.length) this.#grow();
    this.state[client] = LOOKING_UP;
    this.gateway[client] = -1;
    this.movesFrom[client] = -1;
    this.movedAtMs[client] = -Infinity;
    this.replica[client] = -1;
    this.hot[client] = 0;
    this.returns[client] = 0;
    this.waiting[client] = 0;
    return client;
  }

  /** A row for what `old` was: it looks up again, for the rest of its life. */
  takeAgain(old: number): number {
    const again = this.take();
    this.cost[again] = this.cost[old]!;
    this.leavesAtMs[again] = this.leavesAtMs[old]!;
    this.hot[again] = this.hot[old]!;
    this.returns[again] = 1;
    return again;
  }

  /** Gives the row back, at once or when the calendar comes across it. */
  end(client: number): void {
    this.state[client] = this.waiting[client] ? ENDED : FREE;
    if (!this.waiting[client]) this.#free.push(client);
  }

  #grow(): void {
    const size = this.state.length * 2;
    this.state = grown(this.state, new Uint8Array(size));
    this.cost = grown(this.cost, new Float64Array(size));
    this.rampMs = grown(this.rampMs, new Float32Array(size));
    this.leavesAtMs = grown(this.leavesAtMs, new Float64Array(size));
    this.openedAtMs = grown(this.openedAtMs, new Float64Array(size));
    this.gateway = grown(this.gateway, new Int16Array(size));
    this.place = grown(this.place, new Int32Array(size));
    this.movesFrom = grown(this.movesFrom, new Int32Array(size));
    this.movedAtMs = grown(this.movedAtMs, new Float64Array(size));
    this.replica = grown(this.replica, new Int16Array(size));
    this.firstAskedAtMs = grown(this.firstAskedAtMs, new Float64Array(size));
    this.hot = grown(this.hot, new Uint8Array(size));
    this.returns = grown(this.returns, new Uint8Array(size));
    this.waiting = grown(this.waiting, new Uint8Array(size));
  }
}

function grown<T extends { set(from: T): void }>(from: T, into: T): T {
  into.set(from);
  return into;
}
