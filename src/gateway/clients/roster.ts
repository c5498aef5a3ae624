// (8) All open connections of this gateway, and the one timer that looks after them: hello deadlines, pings,
// slow consumers, planned closes.

import { CLOSE } from '../../protocol/close-codes.ts';
import { every } from '../../daemon/clock.ts';
import type { Connection } from './connection.ts';
import { BufferSum } from '../core/buffer-sum.ts';
import { ClosePlan } from '../core/close-plan.ts';
import { DeadlineQueue } from '../core/deadline-queue.ts';
import { heaviest, MAX_TOGETHER_BYTES } from '../core/heaviest.ts';
import { PingWheel } from '../core/ping-wheel.ts';
import { jsonFrame } from '../core/ws-frame.ts';
import type { GatewayParts } from '../gateway-parts.ts';

const TICK_MS = 100;
const SLOW_SWEEP_TICKS = 5;
const SLOW_GRACE_MS = 1_000;
const BUFFER_ROUND_TICKS = 5;
/**
 * A tick so late means that this process slept (SIGSTOP, a suspended machine). What clients said meanwhile is
 * in the kernel's buffers and nobody was pinged, so silence is counted from the waking on.
 */
const SLEPT_FROM_MS = 1_000;
/** Time to read what came during the sleep, before a missing hello counts. */
const AWAKENING_MS = 1_000;

export class Roster {
  readonly #parts: GatewayParts;
  readonly #all: Connection[] = [];
  readonly buffers = new BufferSum(this.#all, BUFFER_ROUND_TICKS, ({ bufferedBytes }) => bufferedBytes);
  readonly #unfinished = new BufferSum(this.#all, BUFFER_ROUND_TICKS, unfinishedBytesOf);
  readonly #greeting: DeadlineQueue<Connection>;
  readonly #wheel: PingWheel<Connection>;
  readonly #ping: Uint8Array;
  readonly plannedCloses = new ClosePlan<Connection>();
  /** Closed and not gone yet: they may never read the close frame. */
  readonly #leaving: DeadlineQueue<Connection>;
  readonly #stop: () => void;
  #ticks = 0;
  #turnedMs: number;
  #tickedMs: number;
  #awakeSinceMs = -Infinity;

  constructor(parts: GatewayParts) {
    const { config, allocate, clock, random } = parts;
    this.#parts = parts;
    this.#greeting = new DeadlineQueue(config.helloTimeoutMs);
    this.#leaving = new DeadlineQueue(SLOW_GRACE_MS);
    this.#wheel = new PingWheel(Math.max(1, Math.round(config.pingMs / TICK_MS)), random);
    this.#ping = jsonFrame({ op: 'ping' }, allocate);
    this.#turnedMs = clock.nowMs();
    this.#tickedMs = this.#turnedMs;
    this.#stop = every(TICK_MS, () => this.#tick(), 0);
  }

  get size(): number {
    return this.#all.length;
  }

  get connections(): readonly Connection[] {
    return this.#all;
  }

  add(connection: Connection): void {
    connection.indexInRoster = this.#all.length;
    this.#all.push(connection);
    this.#greeting.add(connection, this.#parts.clock.nowMs());
  }

  greeted(connection: Connection): void {
    this.#wheel.add(connection);
  }

  remove(connection: Connection): void {
    const last = this.#all.pop()!;
    if (last !== connection) {
      this.#all[connection.indexInRoster] = last;
      last.indexInRoster = connection.indexInRoster;
    }
    connection.keeps(0);
    this.#wheel.remove(connection);
    this.#parts.slow.delete(connection);
    this.#parts.doomed.delete(connection);
  }

  stop(): void {
    this.#stop();
  }

  #tick(): void {
    const { clock, doomed, slow } = this.#parts;
    const nowMs = clock.nowMs();
    this.#ticks += 1;
    if (nowMs - this.#tickedMs > SLEPT_FROM_MS) {
      this.#awakeSinceMs = nowMs;
      for (const connection of slow) connection.slowSinceMs = nowMs;
    }
    this.#tickedMs = nowMs;
    if (nowMs - this.#awakeSinceMs > AWAKENING_MS) {
      for (const connection of this.#greeting.takeDue(nowMs)) {
        if (connection.state === 'greeting') connection.close(CLOSE.helloTimeout, 'no hello');
      }
    }
    // Before the sweep, which looks at a round that has just ended.
    this.buffers.turn();
    this.#unfinished.turn();
    if (this.#ticks % SLOW_SWEEP_TICKS === 0) {
      for (const connection of slow) connection.checkBacklog();
      this.#boundBacklog();
    }
    this.#boundUnfinished(nowMs);
    for (const connection of doomed) {
      doomed.delete(connection);
      connection.close(CLOSE.slowConsumer, 'reads too slowly');
      this.#leaving.add(connection, nowMs);
    }
    for (const connection of this.#leaving.takeDue(nowMs)) connection.cut();
    for (const { item, code } of this.plannedCloses.takeDue(nowMs)) item.close(code, 'time to move is over');
    this.#turnWheel(nowMs);
  }

  #boundBacklog(): void {
    if (this.buffers.bytes <= MAX_TOGETHER_BYTES) return;
    const { hub, log, bytesInBuffers, unreadReplayBytes } = this.#parts;
    const heldBytes = bytesInBuffers() - hub.historyBytes - unreadReplayBytes;
    const chosen = heaviest(this.#all, ({ backlogBytes }) => backlogBytes, heldBytes);
    if (chosen.length > 0) log.warn('too-much-unread', { bytes: this.buffers.bytes, closed: chosen.length });
    for (const connection of chosen) connection.giveUp();
  }

  #boundUnfinished(nowMs: number): void {
    // The round sees what is inflated after a chunk was read, the other what has just come.
    const bytes = Math.max(this.#unfinished.bytes, this.#parts.unfinishedBytes);
    if (bytes <= MAX_TOGETHER_BYTES) return;
    const chosen = heaviest(this.#all, unfinishedBytesOf);
    if (chosen.length > 0) this.#parts.log.warn('too-much-unfinished', { bytes, closed: chosen.length });
    for (const connection of chosen) {
      connection.close(CLOSE.rateLimited, 'too much that is not finished');
      connection.stopReading();
      this.#leaving.add(connection, nowMs);
    }
  }

  /** As many slots as time has passed for: a loop that was late does not stretch the period. */
  #turnWheel(nowMs: number): void {
    const { config } = this.#parts;
    // After a long sleep the wheel goes on from where it stood, rather than pinging everyone at once.
    if (nowMs - this.#turnedMs > config.pingMs / 2) this.#turnedMs = nowMs - TICK_MS;
    for (; this.#turnedMs + TICK_MS <= nowMs; this.#turnedMs += TICK_MS) {
      for (const connection of this.#wheel.turn()) {
        if (connection.state !== 'open') continue;
        if (nowMs - Math.max(connection.heardMs, this.#awakeSinceMs) > 2 * config.pingMs) {
          connection.close(CLOSE.pongTimeout, 'no sign of life');
          this.#leaving.add(connection, nowMs);
        } else {
          connection.sendBytes(this.#ping);
        }
      }
    }
  }
}

function unfinishedBytesOf({ unfinishedBytes }: Connection): number {
  return unfinishedBytes;
}
