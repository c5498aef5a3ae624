// (3) The narrow port to shared state: who is alive, small entries with versions, watches, a fenced lease.
// Implementations: memory (one process, the embedded default) and zookeeper. Whoever uses it must live
// without it: nothing here waits for a store that is away, and nothing is queued for later.

/**
 * `connecting` until the first session, then `up` or `away`; `closed` is final. In `away` the session may
 * still live at the server: ephemerals and the lease are not lost yet.
 */
export type CoordinationState = 'connecting' | 'up' | 'away' | 'closed';

/**
 * Why something was not done. A refusal and a silence are different facts: after `lost` the write may have
 * happened; after every other one it has not.
 */
export type Trouble =
  /** No connection, or too many operations under way (`busy`): never sent. */
  | 'away'
  | 'busy'
  | 'closed'
  /** Sent, and no answer came in time or the connection broke. */
  | 'lost'
  | 'no-node'
  | 'exists'
  /** The entry's version is not the one given. */
  | 'version'
  | 'not-empty'
  | 'no-auth'
  /** Not a string, or more than `COORDINATION_LIMITS.maxDataBytes`. */
  | 'bad-data'
  | 'bad-path'
  /** A newer lease epoch exists. */
  | 'fenced'
  /** Any other answer of the server; `detail` has its code. */
  | 'server';

export type Outcome<T> = { ok: true; value: T } | { ok: false; why: Trouble; detail?: string };

export const COORDINATION_LIMITS = {
  /** The server's own packet limit (jute.maxbuffer, 1 MiB) less the frame around the data. */
  maxDataBytes: 1_048_576 - 4_096,
  maxPathChars: 1_024,
} as const;

/** What the store knows of one write. */
export interface Stamp {
  /** 0 after creation, grows by one a write. */
  version: number;
  /** The store's own clock at the last write, epoch ms. */
  modifiedMs: number;
  /** Two `modifiedMs` can be compared only within one clock epoch: a new leader brings a new clock. */
  clockEpoch: number;
  /** Session that owns an ephemeral entry; empty for persistent ones. */
  owner: string;
}

export interface Entry extends Stamp {
  data: string;
}

/** Ends a subscription; calling it twice is harmless. Nothing is delivered after it returns. */
export type Stop = () => void;

/**
 * An ephemeral entry that stands for this process until released: created when the store is up, created
 * again in a new session or when somebody deletes it. Of two live processes with one path the newer wins;
 * the older is `contended` and waits.
 */
export interface Ephemeral {
  state(): 'absent' | 'held' | 'contended';
  /** Why the store, though it answers, lets it neither create the entry nor take it over: a missing right, entries below it. */
  refusal(): Trouble | undefined;
  /** Replaces the data, now if the entry is held, else when it is next created. */
  update(data: string): void;
  /** Deletes the entry if the store is up; never rejects, ends within the operation deadline. */
  release(): Promise<void>;
}

/** A lease that at most one process holds, fenced by an epoch that only grows. */
export interface Lease {
  /**
   * True only while the server surely still keeps our session: it turns false by the local monotonic clock
   * alone, before anybody else can hold the lease, also after this process was stopped for a while.
   */
  held(): boolean;
  /** Epoch of the present holding, 0 while there is none. */
  epoch(): number;
  /** Replaces an entry only if no newer epoch exists, checked by the server in one transaction. */
  put(path: string, data: string): Promise<Outcome<void>>;
  release(): Promise<void>;
}

export interface CoordinationSnapshot {
  kind: 'memory' | 'zookeeper';
  state: CoordinationState;
  /** How long it has been in this state. */
  stateAgeMs: number;
  /** `host:port` in use, empty when none. */
  server: string;
  sessionId: string;
  sessionTimeoutMs: number;
  operationsInFlight: number;
  operationsWaiting: number;
  reconnects: number;
  expiries: number;
}

/**
 * Paths are absolute, `/a/b`, without empty parts, `.` or `..`. No method throws or rejects; every promise
 * settles within the operation deadline. Parents are created as needed. Listeners are called one after the
 * other, never inside the call that registers them, and must not throw.
 */
export interface Coordination {
  state(): CoordinationState;
  /** Called after each change of state. */
  onState(listener: (state: CoordinationState) => void): Stop;
  snapshot(): CoordinationSnapshot;

  get(path: string): Promise<Outcome<Entry>>;
  /** Creates or replaces; with `version` it only replaces the entry that has it. */
  put(path: string, data: string, version?: number): Promise<Outcome<Stamp>>;
  /** Refused with `exists` when there is one already. */
  create(path: string, data: string): Promise<Outcome<void>>;
  remove(path: string, version?: number): Promise<Outcome<void>>;
  /** Names of the children, without order. */
  list(path: string): Promise<Outcome<string[]>>;

  /**
   * Delivers the entry as it is now and after every change, `undefined` while it does not exist. Survives
   * reconnects and expiry. Changes that follow each other closely may arrive as one, the same value may come
   * twice, and while the store is away nothing comes: the last delivered value is simply the last known.
   */
  watch(path: string, listener: (entry: Entry | undefined) => void): Stop;
  /** The same for the names of the children; a missing parent is an empty list. */
  watchList(path: string, listener: (names: string[]) => void): Stop;

  ephemeral(path: string, data: string): Ephemeral;
  /** Campaigns for `path`; the epoch is the version of the persistent entry `<path>-epoch`. */
  lease(path: string, data: string): Lease;

  /** Ends the session, and with it every ephemeral. Safe in every state, twice too; ends within 2 s. */
  close(): Promise<void>;
}
