// (6) What goes into the client's machine and what it answers; machine.ts is the machine.

import type { Position } from '../../protocol/client-frames.ts';
import type { LookupRequest } from '../../protocol/lookup.ts';
import type { ClientState } from './client-events.ts';
import type { Out, TimerName } from './effects.ts';
import type { LookupAnswer } from './lookup-answer.ts';

export interface MachineParts {
  heralds: readonly string[];
  request: Partial<LookupRequest>;
  topics: readonly { topic: string; from?: Position }[];
  /** Asked for each connection, so that a program can renew it. */
  token: (() => string | undefined) | undefined;
  /** Capabilities of the program, beside those of the client. */
  caps: readonly string[];
  random: () => number;
  out: Out;
}

export interface Machine {
  state(): ClientState;
  topics(): string[];
  position(topic: string): Position | undefined;
  start(nowMs: number): void;
  lookedUp(ask: number, answer: LookupAnswer, nowMs: number): void;
  socketOpened(link: number, nowMs: number): void;
  socketReceived(link: number, text: string, nowMs: number): void;
  socketClosed(link: number, code: number, reason: string, nowMs: number): void;
  timerFired(name: TimerName, nowMs: number): void;
  /** The network or the machine may have been away. */
  woken(nowMs: number): void;
  subscribe(topics: readonly { topic: string; from?: Position }[]): void;
  unsubscribe(topics: readonly string[]): void;
  /** False when there is no connection to publish on. */
  publish(publish: number, topic: string, data: unknown): boolean;
  /** Capabilities in force on the connection in use. */
  caps(): readonly string[];
  /** A frame of an op that a capability of the program has. False when it is not sent. */
  send(frame: object): boolean;
  close(): void;
}
