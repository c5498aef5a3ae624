// (8) One client: its socket, its place in the hub, the wheel and the audit. Every field is a number or a
// reference, with no timer and no closure of its own, because an idle connection is mostly memory.

import type { Socket } from 'node:net';
import { CLOSE } from '../../protocol/close-codes.ts';
import type { ClientOut } from '../../protocol/client-frames.ts';
import type { Capability, CapabilityContext } from '../core/capabilities.ts';
import type { Movable } from '../core/choose-moves.ts';
import type { Group, Subscriber } from '../core/group.ts';
import { VARIANT } from '../core/group.ts';
import type { WheelMember } from '../core/ping-wheel.ts';
import type { RateState } from '../core/rate-limit.ts';
import { freshRate } from '../core/rate-limit.ts';
import type { SessionState } from '../core/session.ts';
import { judgeBacklog } from '../core/slow-consumer.ts';
import { jsonFrame } from '../core/ws-frame.ts';
import type { GatewayParts } from '../gateway-parts.ts';
import type { ClientSocket } from './client-socket.ts';

const NO_CAPABILITIES: readonly Capability[] = [];
const OPEN = 1;
/** Frames that may have been on their way when the close began; a client that sends more ignores it. */
const MOST_IGNORED = 64;

export class Connection implements Subscriber, WheelMember, Movable, CapabilityContext, RateState {
  readonly #parts: GatewayParts;
  readonly #ws: ClientSocket;
  readonly #socket: Socket;
  readonly conn: string;
  readonly openedMs: number;
  /** Ticket carried in the handshake; forgotten once judged. */
  ticket: string | undefined;

  state: SessionState = 'greeting';
  caps = NO_CAPABILITIES;
  variant: number;
  /** Subscriptions under way, one after another; undefined when there are none. */
  work: Promise<void> | undefined;
  waitingWork = 0;

  group: Group | undefined = undefined;
  indexInGroup = 0;
  position = 0;
  slot = -1;
  indexInSlot = 0;
  indexInRoster = 0;

  allowance: number;
  updatedMs: number;
  /** New topics it may have; made with the first. */
  topicRate: RateState | undefined = undefined;
  heardMs: number;
  movedMs = -Infinity;
  /** Since when it is above the soft limit. */
  slowSinceMs: number | undefined = undefined;
  #tooSlow = false;
  /** Of a replay that the client has not read yet. */
  #replayBytes = 0;
  /** Of a message that it has not finished, as of its last chunk. */
  #keptBytes = 0;
  messages = 0;
  bytes = 0;
  /** The code it was closed with first, by whichever side. */
  closeCode = 0;
  /** This side chose the code. */
  isClosedHere = false;
  #ignored = 0;

  constructor(
    parts: GatewayParts,
    ws: ClientSocket,
    socket: Socket,
    conn: string,
    ticket: string | undefined,
  ) {
    const nowMs = parts.clock.nowMs();
    const rate = freshRate(parts.config.messagesPerSec, nowMs);
    this.#parts = parts;
    this.#ws = ws;
    this.#socket = socket;
    this.conn = conn;
    this.ticket = ticket;
    this.openedMs = nowMs;
    this.heardMs = nowMs;
    this.allowance = rate.allowance;
    this.updatedMs = rate.updatedMs;
    this.variant = ws.extensions.includes('permessage-deflate') ? VARIANT.deflate : 0;
  }

  get bufferedBytes(): number {
    return this.#socket.writableLength;
  }

  get backlogBytes(): number {
    return this.bufferedBytes - this.#replayBytes;
  }

  keeps(unfinishedBytes: number): void {
    this.#parts.unfinishedBytes += unfinishedBytes - this.#keptBytes;
    this.#keptBytes = unfinishedBytes;
  }

  /** What it sent of a message that is not whole yet. */
  get unfinishedBytes(): number {
    return this.#ws.unfinishedBytes;
  }

  get isLeaving(): boolean {
    return this.#tooSlow || this.state === 'closing';
  }

  /** Capabilities are agreed before the first subscription: a variant may not change within a group. */
  agree(caps: readonly Capability[]): void {
    this.caps = caps;
    for (const { variant = 0 } of caps) this.variant |= variant;
  }

  has(capability: string): boolean {
    return this.caps.some(({ name }) => name === capability);
  }

  deliver(bytes: Uint8Array, frames: number): void {
    if (this.#tooSlow || this.#ws.readyState !== OPEN) {
      this.#parts.undelivered(frames, this.#tooSlow ? 'slow-consumer' : 'closed');
      return;
    }
    this.messages += frames;
    this.bytes += bytes.length;
    this.#parts.deliveredBytes += bytes.length;
    this.#parts.writes += 1;
    if (!this.#socket.write(bytes)) this.checkBacklog();
  }

  /** Called when the socket did not take all at once, and twice a second while it is slow. */
  checkBacklog(): void {
    const { config, clock, slow } = this.#parts;
    const buffered = this.#socket.writableLength;
    const nowMs = clock.nowMs();
    const verdict = judgeBacklog(buffered, this.#replayBytes, this.slowSinceMs, nowMs, {
      softBytes: config.softBufferBytes,
      hardBytes: config.hardBufferBytes,
      softForMs: config.softBufferMs,
    });
    if (verdict === 'fine') {
      this.slowSinceMs = undefined;
      slow.delete(this);
      return;
    }
    this.slowSinceMs ??= nowMs;
    slow.add(this);
    if (verdict === 'too-slow') this.giveUp();
  }

  /**
   * It reads too slowly to keep. Closed by the sweep: a subscriber may not leave its group while it is being written to.
   * Until then nothing more is buffered for it.
   */
  giveUp(): void {
    this.#tooSlow = true;
    this.#parts.doomed.add(this);
  }

  /** A frame for this client alone. What the hub owes it must be given first (`hub.catchUp`). */
  send(frame: ClientOut | object): void {
    this.sendBytes(jsonFrame(frame, this.#parts.allocate));
  }

  sendBytes(bytes: Uint8Array): void {
    if (this.#ws.readyState !== OPEN) return;
    this.#parts.deliveredBytes += bytes.length;
    if (!this.#socket.write(bytes)) this.checkBacklog();
  }

  /**
   * What a resuming client asked for, `fetchedBytes` of it made for this client alone. Resolves when it is on its way, or
   * the connection at its end.
   */
  sendReplay(frames: readonly Uint8Array[], fetchedBytes: number): Promise<void> {
    if (this.#ws.readyState !== OPEN) return Promise.resolve();
    const bytes = frames.reduce((sum, { length }) => sum + length, 0);
    this.messages += frames.length;
    this.#replayBytes += bytes;
    this.#parts.deliveredBytes += bytes;
    this.#parts.unreadReplayBytes += fetchedBytes;
    return new Promise((resolve) => {
      const taken = (): void => {
        this.#replayBytes -= bytes;
        this.#parts.unreadReplayBytes -= fetchedBytes;
        // What waited behind it has its own time from here on.
        this.slowSinceMs = undefined;
        resolve();
      };
      // Not joined: of those that do not read, each would keep a copy of its own.
      this.#socket.cork();
      frames.forEach((frame, i) => this.#socket.write(frame, i === frames.length - 1 ? taken : undefined));
      this.#socket.uncork();
      if (this.#socket.writableLength > 0) this.checkBacklog();
    });
  }

  /** Ends the connection with what is owed written first, unless it is owed too much already. */
  close(code: number, msg = ''): void {
    if (this.state === 'closing') return;
    if (code !== CLOSE.slowConsumer) this.#parts.hub.catchUp(this);
    this.closeCode = code;
    this.isClosedHere = true;
    // A close reason has at most 123 bytes (RFC 6455 section 5.5); ours are ASCII but may quote the client.
    this.#ws.close(code, msg.replace(/[^\x20-\x7e]/g, '?').slice(0, 120));
  }

  /** One more frame after the close. A client that goes on sending is no longer read: a flood would cost until its end. */
  ignore(): void {
    this.#ignored += 1;
    if (this.#ignored === MOST_IGNORED) this.stopReading();
  }

  /** For good: of one that is being closed. */
  stopReading(): void {
    this.#ws.pause();
  }

  /** Cuts the line: for clients that would not read a close frame. */
  cut(): void {
    this.#ws.terminate();
  }

  /** The closing handshake began, by whichever side: nothing more may be written. */
  closing(code: number): void {
    if (this.state === 'closing') return;
    this.state = 'closing';
    if (this.closeCode === 0) this.closeCode = code;
    const cause = this.isClosedHere && code === CLOSE.slowConsumer ? 'slow-consumer' : 'closed';
    this.#parts.hub.drop(this, cause, this.#parts.clock.nowMs());
  }

  /** Load this connection causes, as its share of what all cause: messages, with a kilobyte counting as one. */
  cost(nowMs: number): number {
    const ageSec = Math.max(1, (nowMs - this.openedMs) / 1_000);
    return (1 + this.messages + this.bytes / 1_024) / ageSec;
  }

  load(): number {
    return this.cost(this.#parts.clock.nowMs()) * this.#parts.loadPerCost;
  }
}
