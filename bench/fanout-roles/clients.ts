// The crowd of clients for each kind of server: how they greet and when they are ready.

import { build } from './native.ts';
import { LOAD_CORE, NICENESS, Role } from '../role/role.ts';
import type { ServerKind } from './servers.ts';

export interface Crowd {
  connections: number;
  topics: number;
  deflate: boolean;
}

/** Connections whose messages are timed. They never ask for compression: their stamps must be readable. */
const TIMED = 64;
const program = build('load-client');

/** With a mask of zeros the payload stays readable, and the load client can write the topic into it. */
function masked(text: string): Buffer {
  const payload = Buffer.from(text);
  return Buffer.concat([Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}

function upgrade(path: string, ...headers: string[]): Buffer {
  return Buffer.from(
    [
      `GET ${path} HTTP/1.1`,
      'Host: localhost',
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw==',
      'Sec-WebSocket-Version: 13',
      ...headers,
      '\r\n',
    ].join('\r\n'),
  );
}

interface Greeting {
  bytes: Buffer;
  /** Said after the first frame. */
  reply?: Buffer;
  /** How many frames a client gets before it is ready. */
  readyAfter: number;
}

function greetingOf(kind: ServerKind, deflate: boolean): Greeting {
  switch (kind) {
    case 'gateway': {
      const headers = ['Sec-WebSocket-Protocol: herald.v1.json'];
      if (deflate) headers.push('Sec-WebSocket-Extensions: permessage-deflate');
      const frames = [masked('{"op":"hello","v":1}'), masked('{"op":"sub","id":1,"c":["bench.####"]}')];
      return { bytes: Buffer.concat([upgrade('/ws', ...headers), ...frames]), readyAfter: 2 };
    }
    case 'socketio': {
      const path = '/socket.io/?EIO=4&transport=websocket';
      return { bytes: upgrade(path), reply: masked('40'), readyAfter: 2 };
    }
    case 'nchan':
      return { bytes: upgrade('/sub/bench.####'), readyAfter: 0 };
    case 'nats':
      return {
        bytes: Buffer.from('CONNECT {"verbose":false}\r\nSUB bench.#### 1\r\nPING\r\n'),
        readyAfter: 0,
      };
    case 'floor-c':
    case 'floor-node':
    case 'ws':
      return { bytes: upgrade('/ws'), readyAfter: 0 };
  }
}

/** Resolves when every connection is ready. */
export async function openCrowd(
  kind: ServerKind,
  port: number,
  { connections, topics, deflate }: Crowd,
): Promise<Role> {
  const greeting = greetingOf(kind, deflate);
  const args = [
    port,
    connections,
    topics,
    Math.min(TIMED, connections),
    kind === 'nats' ? 'nats' : 'ws',
    greeting.readyAfter,
    greeting.bytes.toString('hex'),
    greetingOf(kind, false).bytes.toString('hex'),
    greeting.reply?.toString('hex') ?? '',
  ];
  const crowd = new Role([program, ...args.map(String)], LOAD_CORE, NICENESS.clients);
  await crowd.next();
  return crowd;
}
