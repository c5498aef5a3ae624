// (6) What a connection needs and what it answers; session.ts is the connection.

import type { MoveOrder, Welcome } from '../../protocol/client-frames.ts';
import type { LookupPick } from '../../protocol/lookup.ts';
import type { ClientEvent } from './client-events.ts';
import type { Out } from './effects.ts';
import type { Unsent } from './publications.ts';
import type { TopicBook } from './topic-book.ts';

export type SessionPhase = 'opening' | 'greeting' | 'subscribing' | 'live' | 'closed';

export interface SessionParts {
  link: number;
  pick: LookupPick;
  token: string | undefined;
  /** Capabilities of the program, beside the client's own. */
  caps: readonly string[];
  book: TopicBook;
  out: Out;
  emit: (event: ClientEvent) => void;
  /** Whether an earlier connection still delivers while this one resumes. */
  predecessorDelivers: () => boolean;
  /** Welcome came. */
  onWelcome: (welcome: Welcome) => void;
  /** False while another connection is about to take over: what is published next goes there. */
  mayPublish: () => boolean;
  /** A publication was answered. */
  onPublished: () => void;
  /** Every topic is in force and none is held back. */
  onReady: () => void;
  onMove: (order: MoveOrder) => void;
  /** After each message and gap: another connection may wait for it. */
  onProgress: (topic: string) => void;
  /** This side gives the connection up; the edge was told to close it. */
  onFailure: (why: string) => void;
}

export interface Session {
  readonly link: number;
  readonly pick: LookupPick;
  phase(): SessionPhase;
  /** The gateway's name for this connection; empty before welcome. */
  conn(): string;
  /** How long it has been live; 0 until it is. */
  livedMs(nowMs: number): number;
  open(nowMs: number): void;
  opened(nowMs: number): void;
  received(text: string, nowMs: number): void;
  /** Its timer fired. */
  checked(nowMs: number): void;
  /** The network or the machine may have been away: finds out whether the gateway is still there. */
  woken(nowMs: number): void;
  /** Its timer for what waits to be sent fired. */
  paced(): void;
  subscribe(topics: readonly string[]): void;
  unsubscribe(topics: readonly string[]): void;
  publish(publish: number, topic: string, data: unknown): void;
  /** Publications were sent and are not answered yet. */
  isPublishing(): boolean;
  /** Those that wait for their turn, to be adopted by the connection that takes over. */
  takeUnsent(): Unsent[];
  adopt(waiting: readonly Unsent[]): void;
  /** As far as the gateway takes it. Also when nothing takes over after all. */
  sendWaiting(): void;
  /** Capabilities in force. */
  caps(): readonly string[];
  /** A frame of the program's own. False when it is not sent: not live, too fast, or too large for the gateway. */
  send(frame: object): boolean;
  /** Topics that were refused for now (41xx) are asked for again. */
  resubscribe(): void;
  /** The connection in use went on in this topic. */
  progressed(topic: string): void;
  /** The connection in use brings nothing more. */
  release(): void;
  /** Ends it from this side without `onFailure`. */
  close(code: number, reason: string): void;
  /** The socket closed. */
  closed(): void;
}
