// The embedded store: coordination inside one process, always up. An ensemble can be shared by several
// sessions and told to go away or to expire one, which is how the failure paths of the store's users are
// tested without a server and without time.

import type { Log } from '../daemon/log.ts';
import { silentLog } from '../daemon/log.ts';
import type { Coordination, CoordinationState, Outcome } from './coordination.ts';
import { coordinate } from './coordinate.ts';
import { MemoryTree } from './memory-tree.ts';
import type { Session } from './session.ts';

export interface MemoryEnsembleOptions {
  nowMs?: () => number;
  epochMs?: () => number;
  /** After this long away without `comeBack`, held leases are no longer safe. */
  sessionTimeoutMs?: number;
  log?: Log;
}

export interface MemoryEnsemble {
  tree: MemoryTree;
  connect(): MemoryCoordination;
}

export interface MemoryCoordination extends Coordination {
  /** Cuts this session off; its ephemerals stay until `expire`. */
  goAway(): void;
  comeBack(): void;
  /** Ends the session as a server does; a new one begins at once, or at `comeBack`. */
  expire(): void;
}

export function memoryEnsemble(options: MemoryEnsembleOptions = {}): MemoryEnsemble {
  const tree = new MemoryTree(options.epochMs ?? (() => Date.now()));
  let sessions = 0;
  return { tree, connect: () => connect(tree, () => `memory-${++sessions}`, options) };
}

/** The embedded default: one process, its own tree, up at once. */
export function memoryCoordination(options: MemoryEnsembleOptions = {}): MemoryCoordination {
  return memoryEnsemble(options).connect();
}

function connect(tree: MemoryTree, nextId: () => string, options: MemoryEnsembleOptions): MemoryCoordination {
  const nowMs = options.nowMs ?? (() => performance.now());
  const sessionTimeoutMs = options.sessionTimeoutMs ?? 6_000;
  const listeners = new Set<(state: CoordinationState) => void>();
  const past = new Set<string>();
  let state: CoordinationState = 'up';
  let sinceMs = nowMs();
  let sessionId = nextId();
  let reconnects = 0;
  let expiries = 0;

  const enter = (next: CoordinationState): void => {
    if (state === next || state === 'closed') return;
    state = next;
    sinceMs = nowMs();
    for (const listener of [...listeners]) listener(next);
  };

  /** Answers in a later turn, as a server would. */
  const act = async <T>(operation: () => Outcome<T>): Promise<Outcome<T>> => {
    await Promise.resolve();
    if (state === 'up') return operation();
    return { ok: false, why: state === 'closed' ? 'closed' : 'away' };
  };
  /** A one-shot watch dies with the connection it was made on. */
  const bound = (onChange: (() => void) | undefined): (() => void) | undefined => {
    const connection = reconnects;
    return onChange && (() => state === 'up' && connection === reconnects && onChange());
  };

  const session: Session = {
    state: () => state,
    onState(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    snapshot: () => ({
      kind: 'memory',
      state,
      stateAgeMs: nowMs() - sinceMs,
      server: '',
      sessionId,
      sessionTimeoutMs,
      operationsInFlight: 0,
      operationsWaiting: 0,
      reconnects,
      expiries,
    }),
    sessionId: () => sessionId,
    wasOurs: (id) => past.has(id),
    safeUntilMs: () => (state === 'up' ? Infinity : sinceMs + (sessionTimeoutMs * 2) / 3),
    nowMs,
    read: (path, onChange) => act(() => tree.read(path, bound(onChange))),
    names: (path, onChange) => act(() => tree.names(path, bound(onChange))),
    create: (path, data, ephemeral) => act(() => tree.create(path, data, ephemeral ? sessionId : '')),
    write: (path, data, version) => act(() => tree.write(path, data, version)),
    remove: (path, version) => act(() => tree.remove(path, version)),
    acquire: (path, data, epochPath) => act(() => tree.acquire(path, data, epochPath, sessionId)),
    fencedWrite: (epochPath, epoch, path, data) => act(() => tree.fencedWrite(epochPath, epoch, path, data)),
    async close() {
      if (state === 'closed') return;
      tree.removeOwnedBy(sessionId);
      enter('closed');
      listeners.clear();
    },
  };

  return {
    ...coordinate(session, options.log ?? silentLog),
    goAway: () => enter('away'),
    comeBack() {
      if (state !== 'away') return;
      reconnects += 1;
      enter('up');
    },
    expire() {
      tree.removeOwnedBy(sessionId);
      past.add(sessionId);
      sessionId = nextId();
      expiries += 1;
      if (state !== 'up') return;
      enter('away');
      reconnects += 1;
      enter('up');
    },
  };
}
