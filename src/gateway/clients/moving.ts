// (8) Asks clients to go elsewhere: a few of them when Herald sheds load, all of them in a drain or at a stop.
// Clients that know `move` open their new socket before they close the old one; the others are closed within
// the spread and look up again.

import { CLOSE } from '../../protocol/close-codes.ts';
import type { MoveOrder } from '../../protocol/client-frames.ts';
import type { DrainOrder, ShedOrder } from '../../protocol/load-report.ts';
import type { Connection } from './connection.ts';
import { chooseMoves } from '../core/choose-moves.ts';
import { jsonFrame } from '../core/ws-frame.ts';
import type { GatewayParts } from '../gateway-parts.ts';
import type { Roster } from './roster.ts';

/** After the spread, a client that was told to move has this long to be gone. */
const MOVE_GRACE_MS = 30_000;
/** Those who are left at the deadline are closed over this share of the spread. */
const LEFTOVER_SHARE = 0.5;
/** At a stop over no more than this: the process has 4 s to end after the spread. */
const LEFTOVER_AT_STOP_MS = 1_000;
const WRITES_A_TURN = 256;

/** How connections are asked to leave, and closed with `code` where they stay. */
interface Leaving extends Pick<MoveOrder, 'why' | 'spreadMs' | 'deadlineMs'> {
  code: number;
  /** Over which those who are left at the deadline are closed. */
  leftoverMs?: number;
}

export class Moving {
  readonly #parts: GatewayParts;
  readonly #roster: Roster;
  #state: 'up' | 'draining' = 'up';
  moved = 0;

  constructor(parts: GatewayParts, roster: Roster) {
    this.#parts = parts;
    this.#roster = roster;
  }

  get state(): 'up' | 'draining' {
    return this.#state;
  }

  /** `load`: what this gateway reports right now, capacity times its tightest signal. */
  shed(order: ShedOrder, load: number): number {
    const { clock, random } = this.#parts;
    const nowMs = clock.nowMs();
    const connections = this.#roster.connections.filter(({ state }) => state === 'open');
    const totalCost = connections.reduce((sum, connection) => sum + connection.cost(nowMs), 0);
    this.#parts.loadPerCost = totalCost > 0 ? load / totalCost : 0;
    const chosen = chooseMoves(connections, { count: order.count, work: order.work }, nowMs, random);
    const { spreadMs } = order;
    this.#order(chosen, {
      why: 'balance',
      spreadMs,
      deadlineMs: spreadMs + MOVE_GRACE_MS,
      code: CLOSE.moved,
    });
    return chosen.length;
  }

  drain({ spreadMs, deadlineMs }: Pick<DrainOrder, 'spreadMs' | 'deadlineMs'>): void {
    this.#state = 'draining';
    this.#order(this.#roster.connections, { why: 'drain', spreadMs, deadlineMs, code: CLOSE.draining });
  }

  /** The drain is called off: whoever is still here may stay. */
  ready(): void {
    this.#state = 'up';
    this.#roster.plannedCloses.clear();
  }

  /** Answers in how many ms the last one is closed. */
  shutdown(spreadMs: number): number {
    this.#state = 'draining';
    const leftoverMs = Math.min(spreadMs * LEFTOVER_SHARE, LEFTOVER_AT_STOP_MS);
    const how = {
      why: 'shutdown',
      spreadMs,
      deadlineMs: spreadMs,
      code: CLOSE.shutdown,
      leftoverMs,
    } as const;
    this.#order(this.#roster.connections, how);
    return spreadMs + leftoverMs;
  }

  #order(
    connections: readonly Connection[],
    { why, spreadMs, deadlineMs, code, leftoverMs = spreadMs * LEFTOVER_SHARE }: Leaving,
  ): void {
    const { clock, config, random, allocate } = this.#parts;
    const nowMs = clock.nowMs();
    const [lookup] = config.lookupUrls;
    const order: MoveOrder = { op: 'move', why, spreadMs, deadlineMs, ...(lookup && { lookup }) };
    const told: Connection[] = [];
    const closes = connections.map((connection) => {
      connection.movedMs = nowMs;
      if (!connection.has('move')) return { item: connection, atMs: nowMs + random() * spreadMs, code };
      told.push(connection);
      return { item: connection, atMs: nowMs + deadlineMs + random() * leftoverMs, code };
    });
    this.#roster.plannedCloses.add(closes);
    this.moved += connections.length;
    tell(told, jsonFrame(order, allocate));
  }
}

/** Writes one shared frame to many, some at a time: ten thousand writes at once would block the loop. */
function tell(connections: readonly Connection[], frame: Uint8Array): void {
  for (const connection of connections.slice(0, WRITES_A_TURN)) connection.sendBytes(frame);
  if (connections.length > WRITES_A_TURN) {
    setImmediate(() => tell(connections.slice(WRITES_A_TURN), frame));
  }
}
