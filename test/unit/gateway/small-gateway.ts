// A gateway without sockets, whose time a test lets pass: real topics and connections, and what each client is sent.

import type { Socket } from 'node:net';
import { Connection } from '../../../src/gateway/clients/connection.ts';
import { BUILT_IN_CAPABILITIES } from '../../../src/gateway/core/capabilities.ts';
import { Hub } from '../../../src/gateway/core/hub.ts';
import { Outbox } from '../../../src/gateway/core/outbox.ts';
import { gatewayOptions } from '../../../src/gateway/config/gateway-options.ts';
import type { GatewayParts } from '../../../src/gateway/gateway-parts.ts';
import { Subscribing } from '../../../src/gateway/clients/subscribing.ts';
import type { ClientSocket } from '../../../src/gateway/clients/client-socket.ts';
import { silentLog } from '../../../src/daemon/log.ts';
import { loadConfig } from '../../../src/daemon/config.ts';
import type { SubscribeItem } from '../../../src/protocol/client-frames.ts';
import { LooseLink } from '../../launch/loose-link.ts';
import { plainAllocate } from './plain-allocate.ts';

interface Frame {
  op: string;
  e?: string;
  c: string & Record<string, unknown>[];
  [field: string]: unknown;
}

export function smallGateway(limits: Partial<GatewayParts['config']> = {}) {
  const config = { ...loadConfig(gatewayOptions, {}), ...limits };
  const outbox = new Outbox(1);
  const hub = new Hub({
    outbox,
    traitsOf: (topic) => ({ flushClass: outbox.classOf(0), sendsLast: topic.startsWith('price.') }),
    history: { maxMessages: 300, maxBytes: 1_000_000, maxAgeMs: 120_000 },
    historyBudgetBytes: config.historyBytes,
    deflate: () => undefined,
    deflateFromBytes: 1_000,
    allocate: plainAllocate,
  });
  const link = new LooseLink();
  let nowMs = 0;
  link.open({
    onMessages: (batch) => {
      for (const message of batch) hub.message(message, nowMs);
    },
    onGap: (gap) => hub.gap(gap, nowMs),
  });
  const parts = {
    ...{
      config,
      hub,
      link,
      slow: new Set(),
      doomed: new Set(),
      deliveredBytes: 0,
      unreadReplayBytes: 0,
      unfinishedBytes: 0,
      writes: 0,
    },
    clock: { nowMs: () => nowMs, epochMs: () => nowMs },
    allocate: plainAllocate,
    undelivered: () => {},
    bytesInBuffers: () => Infinity,
    log: silentLog,
    random: () => 0.5,
  } as unknown as GatewayParts;
  const subscribing = new Subscribing(parts);
  const client = () => {
    const frames: Frame[] = [];
    const socket = {
      writableLength: 0,
      cork() {},
      uncork() {},
      write(bytes: Uint8Array, taken?: () => void) {
        for (let at = 0; at < bytes.length;) {
          const isLong = bytes[at + 1] === 126;
          const length = isLong ? bytes[at + 2]! * 256 + bytes[at + 3]! : bytes[at + 1]!;
          at += isLong ? 4 : 2;
          frames.push(JSON.parse(Buffer.from(bytes.subarray(at, at + length)).toString()) as Frame);
          at += length;
        }
        taken?.();
        return true;
      },
    };
    const ws = {
      extensions: '',
      readyState: 1,
      unfinishedBytes: 0,
      close: () => connection.closing(1000),
      isCut: false,
      isPaused: false,
      pause() {
        ws.isPaused = true;
      },
      terminate() {
        ws.isCut = true;
      },
    };
    const connection = new Connection(
      parts,
      ws as unknown as ClientSocket,
      socket as unknown as Socket,
      'c',
      undefined,
    );
    connection.agree(BUILT_IN_CAPABILITIES);
    connection.state = 'open';
    let id = 0;
    const sub = (...items: (string | SubscribeItem)[]): void => {
      const wanted = items.map((item) => (typeof item === 'string' ? { c: item } : item));
      id += 1;
      const number = id;
      subscribing.inOrder(connection, () => subscribing.subscribe(connection, number, wanted));
    };
    /** What came since the last look, as `ok topic:offset`, `epoch:offset` and `gap n`. */
    const news = (): string[] =>
      frames.splice(0).flatMap(({ op, c, e, o, n }) => {
        if (op === 'gap') return [`gap ${String(n)}`];
        if (op === 'msg') return [`${c}:${e === undefined ? '' : `${e}:`}${String(o)}`];
        return c.map(({ c: topic, o: offset, rec, err }) =>
          err
            ? `no ${String(topic)}`
            : `ok ${String(topic)}:${String(offset)}${rec === false ? ' lost' : ''}`,
        );
      });
    return { connection, socket, ws, sub, news };
  };
  return { parts, hub, link, client, passMs: (ms: number) => void (nowMs += ms) };
}
