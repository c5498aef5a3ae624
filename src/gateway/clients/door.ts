// (8) Who comes in and who went: refusals before the upgrade, the ticket once, the audit of every close.

import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { leadsHere } from '../../daemon/address.ts';
import type { Metrics } from '../../daemon/metrics.ts';
import { problem } from '../../daemon/problem.ts';
import { CLOSE } from '../../protocol/close-codes.ts';
import type { Problem } from '../../protocol/lookup.ts';
import type { YoungConnections } from '../../protocol/young-connections.ts';
import { createYoungConnections } from '../../protocol/young-connections.ts';
import { ClientOps } from './client-ops.ts';
import { Connection } from './connection.ts';
import { CloseAudit, closeCause } from '../core/close-audit.ts';
import { originAllowed } from '../core/handshake.ts';
import type { TraceBook } from '../core/trace-book.ts';
import type { GatewayParts } from '../gateway-parts.ts';
import { answerHttp } from './http-answers.ts';
import type { Moving } from './moving.ts';
import type { Roster } from './roster.ts';
import type { ClientSocket } from './client-socket.ts';
import type { WsServerEvents } from './ws-server.ts';

/** A lookup names another one. */
const SOON = { retryAfterMs: 1_000 };

export class Door {
  readonly #parts: GatewayParts;
  readonly #roster: Roster;
  readonly #moving: Moving;
  readonly #metrics: Metrics;
  readonly #traces: TraceBook;
  readonly #ops: ClientOps;
  readonly #boot = randomBytes(3).toString('hex');
  readonly audit = new CloseAudit();
  readonly young: YoungConnections;
  #accepted = 0;
  #shut = false;

  constructor(parts: GatewayParts, roster: Roster, moving: Moving, metrics: Metrics, traces: TraceBook) {
    this.#traces = traces;
    this.#parts = parts;
    this.#roster = roster;
    this.#moving = moving;
    this.#metrics = metrics;
    this.young = createYoungConnections(parts.config.rampMs);
    this.#ops = new ClientOps(parts, {
      admit: (connection, token) => this.#admit(connection, token),
      greeted: (connection) => roster.greeted(connection),
    });
  }

  /** Connections accepted since the start. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Nobody comes in any more. */
  shut(): void {
    this.#shut = true;
  }

  /** `reach`: who this gateway is connected to, for the health answer. */
  events(reach: () => object): WsServerEvents {
    const { id, config, hub, link } = this.#parts;
    const answers = {
      gateway: id,
      adminToken: config.adminToken,
      isPublic: config.url !== '' && !leadsHere(config.url),
      audit: this.audit,
      traces: this.#traces,
      ledger: () => ({ ledger: hub.ledger, feed: link.snapshot() }),
      ready: () => ({
        ready: this.#refuse(undefined) === undefined,
        gateway: id,
        state: this.#moving.state,
        ...reach(),
      }),
    };
    return {
      refuse: (origin) => this.#refuse(origin),
      open: (ws, socket, ticket) => this.#open(ws, socket, ticket),
      message: (connection, text) => this.#ops.message(connection, text),
      control: (connection) => void this.#ops.heard(connection),
      closed: (connection, code) => this.#closed(connection, code),
      answer: (question) => answerHttp(answers, question),
    };
  }

  #refuse(origin: string | undefined): Problem | undefined {
    const { config } = this.#parts;
    if (!originAllowed(origin, config.origins))
      return problem(403, 'wrong-origin', 'this origin may not connect');
    if (this.#shut || this.#moving.state === 'draining')
      return problem(503, 'draining', 'this gateway is leaving', SOON);
    if (this.#roster.size >= config.maxConnections) return problem(503, 'full', 'this gateway is full', SOON);
    return undefined;
  }

  #open(ws: ClientSocket, socket: Socket, ticket: string | undefined): Connection {
    this.#accepted += 1;
    const conn = `${this.#boot}-${this.#accepted.toString(36)}`;
    const connection = new Connection(this.#parts, ws, socket, conn, ticket);
    this.young.opened(connection.openedMs);
    this.#roster.add(connection);
    return connection;
  }

  /** Judges a connection's ticket once; false when the door is closed to it. */
  #admit(connection: Connection, token: string | undefined): boolean {
    const { admission, clock, id } = this.#parts;
    const verdict = admission.judge(connection.ticket ?? token, clock.nowMs());
    connection.ticket = undefined;
    this.#metrics.counter('gateway.accepted', { gateway: id, ticket: verdict }).add(1);
    if (admission.lets(verdict)) return true;
    connection.close(CLOSE.ticketRefused, `ticket ${verdict}`);
    return false;
  }

  #closed(connection: Connection, code: number): void {
    const { clock, id } = this.#parts;
    const nowMs = clock.nowMs();
    this.#roster.remove(connection);
    this.young.closed(connection.openedMs, nowMs);
    const ended = connection.closeCode === 0 ? code : connection.closeCode;
    const cause = closeCause(ended, connection.isClosedHere);
    this.#metrics.counter('gateway.closed', { gateway: id, cause }).add(1);
    this.audit.add({
      conn: connection.conn,
      cause,
      code: ended,
      atEpochMs: clock.epochMs(),
      livedMs: Math.round(nowMs - connection.openedMs),
      messages: connection.messages,
    });
  }
}
