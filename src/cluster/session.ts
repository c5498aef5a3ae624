// The inner port that a store implements: one session with plain operations and one-shot watches. The
// standing things (watches, ephemerals, the lease) are built on it once, for memory and ZooKeeper alike.

import type { CoordinationSnapshot, CoordinationState, Entry, Outcome, Stamp, Stop } from './coordination.ts';
import { COORDINATION_LIMITS } from './coordination.ts';

/** No method throws or rejects. Data and paths are already checked (`checkPath`, `checkData`). */
export interface Session {
  state(): CoordinationState;
  /** Called at each change of state, in the order of registration. */
  onState(listener: (state: CoordinationState) => void): Stop;
  snapshot(): CoordinationSnapshot;
  /** Empty while there is none. */
  sessionId(): string;
  /** Whether this process had that session before: what it left behind is ours to delete. */
  wasOurs(sessionId: string): boolean;
  /** Monotonic time until which the server surely keeps the present session; 0 while there is none. */
  safeUntilMs(): number;
  nowMs(): number;

  /**
   * `onChange` is called at most once, at the first change after the read (creation too, when the answer is
   * `no-node`), and never after the connection it was made on is gone.
   */
  read(path: string, onChange?: () => void): Promise<Outcome<Entry>>;
  names(path: string, onChange?: () => void): Promise<Outcome<string[]>>;
  /** Creates parents too. */
  create(path: string, data: string, ephemeral: boolean): Promise<Outcome<void>>;
  /** `version` -1 = any. */
  write(path: string, data: string, version: number): Promise<Outcome<Stamp>>;
  remove(path: string, version: number): Promise<Outcome<void>>;
  /** In one transaction: creates the ephemeral `path` and writes `epochPath`, whose new version it gives. */
  acquire(path: string, data: string, epochPath: string): Promise<Outcome<number>>;
  /** In one transaction: checks that `epochPath` has version `epoch` and replaces the data of `path`. */
  fencedWrite(epochPath: string, epoch: number, path: string, data: string): Promise<Outcome<void>>;
  close(): Promise<void>;
}

// Narrower than ZooKeeper's own rule: printable ASCII, which is all that ids are made of.
const PATH = /^(\/(?!\.{1,2}(\/|$))[!-.0-~]+)+$|^\/$/;

export function checkPath(path: string): Outcome<void> {
  if (typeof path === 'string' && path.length <= COORDINATION_LIMITS.maxPathChars && PATH.test(path)) {
    return { ok: true, value: undefined };
  }
  return { ok: false, why: 'bad-path', detail: `expected /a/b, got ${JSON.stringify(path).slice(0, 80)}` };
}

export function checkData(data: string): Outcome<void> {
  if (typeof data !== 'string') {
    return { ok: false, why: 'bad-data', detail: `expected a string, got ${typeof data}` };
  }
  // A string's UTF-8 form has at least as many bytes as it has characters and at most three times as many.
  if (3 * data.length <= COORDINATION_LIMITS.maxDataBytes) return { ok: true, value: undefined };
  const bytes =
    data.length > COORDINATION_LIMITS.maxDataBytes ? data.length : new TextEncoder().encode(data).length;
  if (bytes > COORDINATION_LIMITS.maxDataBytes) {
    return {
      ok: false,
      why: 'bad-data',
      detail: `${bytes} bytes, at most ${COORDINATION_LIMITS.maxDataBytes}`,
    };
  }
  return { ok: true, value: undefined };
}

/** `/a/b/c` -> `/a/b`; the parent of `/a` is `/`. */
export function parentOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf('/')));
}
