// What the gateway is compared with, in the same run. `floor`: sockets and nothing else, one ready buffer of k
// frames written to each every k messages. `ws`: the ws package, one `send` a message and client.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { encodeMessage, messagePrefix } from '../../src/gateway/core/message-frame.ts';
import { answerLines, cpuMs, tell } from '../broker-roles/cpu.ts';
import type { Load, ServerStats } from './words.ts';
import { steadily, topicName } from './words.ts';

const given = JSON.parse(process.argv[2]!) as { kind: 'floor' | 'ws'; framesPerWrite: number };
const http = createServer();
let delivered = 0;
let writes = 0;
let publish: (data: Buffer) => void;

if (given.kind === 'floor') {
  const sockets: Duplex[] = [];
  http.on('upgrade', (_request, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
    socket.on('error', () => {});
    socket.resume();
    sockets.push(socket);
  });
  const allocate = (size: number): Uint8Array => Buffer.allocUnsafe(size);
  let waiting: Uint8Array[] = [];
  let offset = 0;
  publish = (data) => {
    waiting.push(encodeMessage(messagePrefix(topicName(0)), '', ++offset, data, allocate));
    if (waiting.length < given.framesPerWrite) return;
    const bytes = Buffer.concat(waiting);
    for (const socket of sockets) socket.write(bytes);
    delivered += waiting.length * sockets.length;
    writes += sockets.length;
    waiting = [];
  };
} else {
  const server = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  http.on('upgrade', (request, socket, head) => {
    server.handleUpgrade(request, socket, head, () => {});
  });
  let offset = 0;
  publish = (data) => {
    const text = `{"op":"msg","c":"${topicName(0)}","o":${++offset},"d":${data.toString()}}`;
    for (const client of server.clients) client.send(text);
    delivered += server.clients.size;
    writes += server.clients.size;
  };
}

http.listen(0, '127.0.0.1', () => tell({ port: (http.address() as AddressInfo).port }));
let stop: () => void = () => {};
answerLines((line) => {
  const question = JSON.parse(line) as 'stats' | 'gc' | 'stop' | { load: Load };
  if (question === 'gc') globalThis.gc?.();
  else if (question !== 'stats') stop();
  if (typeof question === 'object') stop = steadily(question.load, (_topic, data) => publish(data));
  const stats: ServerStats = { cpuMs: cpuMs(), delivered, writes, rssBytes: process.memoryUsage.rss() };
  return stats;
});
