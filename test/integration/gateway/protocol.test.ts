// Every case of the tables against the real server over a raw socket.

import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LaunchedGateway } from '../../launch/gateway.ts';
import { launchGateway, TestClient } from '../../launch/gateway.ts';
import { RawClient } from '../../launch/raw-ws.ts';
import type { ProtocolCase } from './case-shape.ts';
import { FRAME_CASES } from './frame-cases.ts';
import { OP_CASES } from './op-cases.ts';
import { PAYLOAD_CASES } from './payload-cases.ts';

const PROTOCOL_CASES = [...FRAME_CASES, ...PAYLOAD_CASES, ...OP_CASES];

let launched: LaunchedGateway;

beforeAll(async () => {
  launched = await launchGateway({ messagesPerSec: 10_000 });
});
afterAll(async () => {
  await launched.gateway.close();
});

async function play({ bytes, hello = true, deflate = false, ...expected }: ProtocolCase): Promise<void> {
  const extension = deflate ? ['Sec-WebSocket-Extensions: permessage-deflate'] : [];
  const client = await RawClient.open(launched.port, extension);
  try {
    expect(client.status).toBe(101);
    expect(client.head.includes('permessage-deflate')).toBe(deflate);
    if (hello) {
      client.sendText({ op: 'hello', v: 1, caps: ['gap', 'move'] });
      await client.until(() => client.texts.length > 0);
    }
    const before = client.texts.length;
    for (const chunk of bytes) client.socket.write(chunk);
    if (expected.expect !== 'alive') {
      expect(await client.closing()).toBe(expected.expect);
      return;
    }
    const { answer, pong } = expected;
    if (pong !== undefined) {
      await client.until(() =>
        client.frames.some(({ opcode, payload }) => opcode === 10 && payload.toString() === pong),
      );
    }
    if (answer) {
      await client.until(() => client.texts.slice(before).some((text) => fits(text, answer)));
    }
    // A ping of the WebSocket layer with a word of its own: its pong proves that the connection lives.
    client.send({ opcode: 9, payload: 'still there?' });
    await client.until(() =>
      client.frames.some(({ opcode, payload }) => opcode === 10 && payload.toString() === 'still there?'),
    );
    // A server masks nothing and sets no bits it did not agree on (RFC 6455 section 5.1).
    expect(client.frames.filter(({ masked, rsv }) => masked || (rsv !== 0 && !deflate))).toEqual([]);
  } finally {
    client.destroy();
  }
}

/** Whether the frame has these fields. */
function fits(text: string, answer: Record<string, unknown>): boolean {
  const frame = JSON.parse(text) as Record<string, unknown>;
  return Object.entries(answer).every(([key, value]) => frame[key] === value);
}

it('has at least 300 cases, each with a name of its own', () => {
  const names = PROTOCOL_CASES.map(({ name, expect: code }) => `${name} -> ${code}`);
  expect(PROTOCOL_CASES.length).toBeGreaterThanOrEqual(300);
  expect(new Set(names).size).toBe(names.length);
});

describe('protocol cases', () => {
  it.each(PROTOCOL_CASES)('$name -> $expect', play);
});

describe('handshakes', () => {
  const PROTOCOL = 'Sec-WebSocket-Protocol';
  it.each([
    ['no subprotocol', (head: string) => head.replace(`${PROTOCOL}: herald.v1.json\r\n`, ''), 400],
    ['another subprotocol', (head: string) => head.replace('herald.v1.json', 'herald.v9.json'), 400],
    ['subprotocol among others', (head: string) => head.replace('herald.v1', 'x, herald.v1'), 101],
    ['another path', (head: string) => head.replace('/ws', '/other'), 404],
    ['a query', (head: string) => head.replace('/ws', '/ws?x=1'), 101],
    ['no key', (head: string) => head.replace(/Sec-WebSocket-Key.*\r\n/, ''), 400],
    ['a short key', (head: string) => head.replace(/(Key:) .*\r\n/, '$1 AAAA\r\n'), 400],
    ['version 12', (head: string) => head.replace('Version: 13', 'Version: 12'), 400],
    ['POST', (head: string) => head.replace('GET', 'POST'), 405],
  ])('%s', async (_name, change, status) => {
    const client = new RawClient(connect(launched.port, '127.0.0.1'));
    const head =
      'GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      'Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw==\r\nSec-WebSocket-Version: 13\r\n' +
      'Sec-WebSocket-Protocol: herald.v1.json\r\n\r\n';
    client.socket.write(change(head));
    await client.until(() => client.status !== 0);
    expect(client.status).toBe(status);
    client.destroy();
  });

  it.each([
    ['permessage-deflate', true],
    ['permessage-deflate; client_max_window_bits', true],
    ['permessage-deflate; server_max_window_bits=9', false],
    ['permessage-deflate; server_max_window_bits=9, permessage-deflate', true],
    ['permessage-deflate; nonsense=1', false],
    ['x-other', false],
  ])('offer %s: %s', async (offer, agreed) => {
    const client = await RawClient.open(launched.port, [`Sec-WebSocket-Extensions: ${offer}`]);
    expect(client.status).toBe(101);
    expect(client.head.includes('server_no_context_takeover')).toBe(agreed);
    client.destroy();
  });
});

it('is not stopped by a flood of control frames', async () => {
  const limited = await launchGateway({ messagesPerSec: 20 });
  const client = await RawClient.open(limited.port);
  client.sendText({ op: 'hello', v: 1 });
  for (let i = 0; i < 200; i++) client.send({ opcode: 9, payload: String(i) });
  expect(await client.closing()).toBe(4103);
  const good = await TestClient.connect(limited.url);
  await good.subscribe('t');
  limited.link.publish('t', 1);
  expect(await good.messages(1)).toEqual([1]);
  await limited.gateway.close();
});
