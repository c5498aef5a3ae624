// (8) Carries out what clients ask for, as core/session.ts judged it.

import { CLOSE } from '../../protocol/close-codes.ts';
import { PUBLICATION_LIMITS } from '../../protocol/publication.ts';
import type { RawField } from '../../protocol/raw-field.ts';
import { MAX_DEPTH } from '../../protocol/raw-field.ts';
import type { Connection } from './connection.ts';
import { negotiate } from '../core/capabilities.ts';
import { admitFrame } from '../core/rate-limit.ts';
import type { Verdict } from '../core/session.ts';
import { errorFrame, judgeFrame } from '../core/session.ts';
import type { GatewayParts } from '../gateway-parts.ts';
import { Subscribing } from './subscribing.ts';

const encoder = new TextEncoder();

export interface ClientOpsEvents {
  /** The client said hello and is in. */
  greeted(connection: Connection): void;
  /** Judges the ticket of a connection once; false when the door is closed to it. */
  admit(connection: Connection, ticket: string | undefined): boolean;
}

export class ClientOps {
  readonly #parts: GatewayParts;
  readonly #events: ClientOpsEvents;
  readonly #subscribing: Subscribing;

  constructor(parts: GatewayParts, events: ClientOpsEvents) {
    this.#parts = parts;
    this.#events = events;
    this.#subscribing = new Subscribing(parts);
  }

  /** A sign of life; false when it was one too many and the client is being closed. */
  heard(connection: Connection): boolean {
    if (connection.state === 'closing') {
      connection.ignore();
      return false;
    }
    const { clock, config } = this.#parts;
    const nowMs = clock.nowMs();
    connection.heardMs = nowMs;
    if (admitFrame(connection, config.messagesPerSec, nowMs)) return true;
    connection.close(CLOSE.rateLimited, `more than ${config.messagesPerSec} frames a second`);
    return false;
  }

  message(connection: Connection, text: string): void {
    if (this.heard(connection)) {
      this.#perform(connection, judgeFrame(text, connection.state, connection.caps));
    }
  }

  #perform(connection: Connection, verdict: Verdict): void {
    switch (verdict.do) {
      case 'welcome': {
        this.#welcome(connection, verdict.caps, verdict.token);
        return;
      }
      case 'subscribe': {
        this.#subscribing.inOrder(connection, () =>
          this.#subscribing.subscribe(connection, verdict.id, verdict.items),
        );
        return;
      }
      case 'unsubscribe': {
        this.#subscribing.inOrder(connection, () => {
          this.#parts.hub.unsubscribe(connection, verdict.topics, this.#parts.clock.nowMs());
          connection.send({ op: 'ok', id: verdict.id });
          return undefined;
        });
        return;
      }
      case 'publish':
        void this.#publish(connection, verdict.id, verdict.topic, verdict.data);
        return;
      case 'extend': {
        verdict.run(connection, verdict.fields);
        return;
      }
      case 'answer': {
        connection.send(verdict.frame);
        return;
      }
      case 'close': {
        connection.close(verdict.code, verdict.msg);
        return;
      }
      case 'nothing':
        return;
    }
  }

  #welcome(connection: Connection, offered: readonly string[], token: string | undefined): void {
    const { config, id, capabilities } = this.#parts;
    if (!this.#events.admit(connection, token)) return;
    connection.agree(negotiate(offered, capabilities));
    connection.state = 'open';
    connection.send({
      op: 'welcome',
      v: 1,
      caps: connection.caps.map(({ name }) => name),
      conn: connection.conn,
      gateway: id,
      pingMs: config.pingMs,
      max: { frame: config.maxFrameBytes, topics: config.maxTopics, perSec: config.messagesPerSec },
      lookup: [...config.lookupUrls],
    });
    this.#events.greeted(connection);
  }

  /** The data goes on as the text it came as: numbers and escapes are the client's own. */
  async #publish(
    connection: Connection,
    id: number,
    topic: string,
    { text, depth }: RawField,
  ): Promise<void> {
    const { publish, config } = this.#parts;
    const refuse = (code: number, msg: string): void => connection.send(errorFrame(id, code, msg));
    const allowed = config.publishTopics.some((prefix) => prefix === '*' || topic.startsWith(prefix));
    if (!allowed || !publish) {
      refuse(CLOSE.forbidden, `clients may not publish to ${topic}`);
      return;
    }
    if (depth > MAX_DEPTH) {
      refuse(CLOSE.protocolError, `d: received ${depth} levels of nesting, expected at most ${MAX_DEPTH}`);
      return;
    }
    const data = encoder.encode(text);
    const { maxDataBytes } = PUBLICATION_LIMITS;
    if (data.length > maxDataBytes) {
      refuse(CLOSE.protocolError, `d: received ${data.length} bytes, expected at most ${maxDataBytes}`);
      return;
    }
    const outcome = await publish(topic, data);
    if (outcome.ok) connection.send({ op: 'ok', id });
    else refuse(CLOSE.brokerUnavailable, outcome.why);
  }
}
