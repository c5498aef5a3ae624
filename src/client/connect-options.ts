// (6) What a program gives and gets. The socket, fetch, clock and chance can all be given, so that the same
// client runs in a browser, in Node, and in a test that owns the time.

import type { ClientEvents, ClientState } from './core/client-events.ts';

/** The part of the standard WebSocket that is used; a browser's, Node's and npm `ws`'s all fit. */
export interface WebSocketLike {
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(text: string): void;
  close(code?: number, reason?: string): void;
  /** Of npm `ws`: ends the connection without the peer. */
  terminate?(): void;
}

export type WebSocketConstructor = new (url: string, protocols: string[]) => WebSocketLike;

export type FetchLike = (
  url: string,
  init: { cache: 'no-store'; credentials: 'omit'; redirect: 'manual' | 'follow'; signal: AbortSignal },
) => Promise<FetchAnswer>;

/** The part of a `Response` that is used; of `body`, where there is one, no more than 1 MiB. */
export interface FetchAnswer {
  status: number;
  headers: { get(name: string): string | null };
  text(): Promise<string>;
  body?: { getReader(): BodyReader } | null;
}

interface BodyReader {
  read(): Promise<{ done: boolean; value?: Uint8Array | undefined }>;
  cancel(): Promise<void>;
}

export interface Timers {
  setTimeout(run: () => void, afterMs: number): unknown;
  clearTimeout(timer: unknown): void;
  /** Monotonic milliseconds. */
  nowMs(): number;
}

export interface ConnectOptions {
  /** Public URL of a Herald, or of several. */
  herald: string | readonly string[];
  pool?: string;
  zone?: string;
  labels?: Readonly<Record<string, string>>;
  /** Labels it should rather have: one with it may be more loaded by `weight` (0 to 1, default 0.1) than one without. */
  prefer?: readonly { key: string; value: string; weight?: number }[];
  /** Affinity key: clients with the same key meet at the same gateway. */
  key?: string;
  /** Expected size of this connection; 1 = an average one. */
  size?: number;
  /** Gateways never to be named to this client. */
  exclude?: readonly string[];
  /** Topics to begin with; `from` continues after a position kept from an earlier run. */
  topics?: readonly TopicWish[];
  /** Sent in `hello`; a function is asked for each connection. */
  token?: string | (() => string);
  /**
   * Capabilities that this program adds, by name, said in `hello` beside the client's own. Where the gateway has one
   * too, its ops come as `frame` events and go out with `send`.
   */
  caps?: readonly string[];
  webSocket?: WebSocketConstructor;
  fetch?: FetchLike;
  /** In [0, 1). */
  random?: () => number;
  timers?: Timers;
}

export type TopicWish = string | { topic: string; from?: { epoch: string; offset: number } };

export interface Client {
  readonly state: ClientState;
  /** Calls `listener` at each event of that name; returns the function that ends it. */
  on<K extends keyof ClientEvents>(name: K, listener: (detail: ClientEvents[K]) => void): () => void;
  /** A topic that it has already goes on as it is, or with `from` goes back to there. */
  subscribe(...topics: TopicWish[]): void;
  unsubscribe(...topics: string[]): void;
  /**
   * Resolves when the gateway took it; those that come faster than it takes them wait for their turn. Rejects
   * with a PublishError whose code says why: not connected, refused, or 1,000 wait already; never repeats by itself.
   * With a TypeError for what can be no topic.
   */
  publish(topic: string, data: unknown): Promise<void>;
  /** Capabilities in force on the connection in use; none while there is no connection. */
  readonly caps: readonly string[];
  /**
   * Sends a frame of an op that an added capability has. False when it is not sent: not connected, faster than the
   * gateway takes frames, or larger; never repeats by itself. Throws a TypeError for what is no frame.
   */
  send(frame: { op: string } & Record<string, unknown>): boolean;
  /** Where each topic stands, to continue from in a later run. */
  positions(): Record<string, { epoch: string; offset: number }>;
  /**
   * The network is back, or the machine slept: a client that waits for something it could not reach tries again within
   * a second, and one that is connected asks its gateway whether it is there and gives it up after 5 s of silence. A page
   * need not call it: `online` and `visibilitychange` of the browser do.
   */
  wake(): void;
  /** For good; no event but the state follows. */
  close(): void;
}
