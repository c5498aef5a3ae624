// What the gateway is compared with, in the same run, and each makes its messages itself. `floor`: sockets and
// nothing else, one ready buffer of k frames written to each every k messages. `ws`: the ws package, one `send`
// a message and client. `socketio`: one `emit` a message, WebSocket transport only, no compression.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { Server } from 'socket.io';
import { WebSocketServer } from 'ws';
import { encodeMessage, messagePrefix } from '../../src/gateway/core/message-frame.ts';
import { answerLines, tell } from '../role/answer-lines.ts';
import { watchLoop } from '../role/loop-delay.ts';
import type { Load, ServerStats } from './words.ts';
import { steadily, topicName } from './words.ts';

const given = JSON.parse(process.argv[2]!) as { kind: 'floor' | 'ws' | 'socketio'; framesPerWrite: number };
const http = createServer();
let delivered = 0;
let writes = 0;
const publish = { floor, ws: plainWs, socketio: socketIo }[given.kind]();

function floor(): (data: Buffer) => void {
  const sockets: Duplex[] = [];
  http.on('upgrade', (_request, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
    socket.on('error', () => {});
    socket.resume();
    sockets.push(socket);
  });
  const prefix = messagePrefix(topicName(0));
  const allocate = (size: number): Uint8Array => Buffer.allocUnsafe(size);
  let waiting: Uint8Array[] = [];
  let offset = 0;
  return (data) => {
    waiting.push(encodeMessage(prefix, '', ++offset, data, allocate));
    if (waiting.length < given.framesPerWrite) return;
    const bytes = Buffer.concat(waiting);
    for (const socket of sockets) socket.write(bytes);
    count(waiting.length * sockets.length, sockets.length);
    waiting = [];
  };
}

function plainWs(): (data: Buffer) => void {
  const server = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  http.on('upgrade', (request, socket, head) => server.handleUpgrade(request, socket, head, () => {}));
  let offset = 0;
  return (data) => {
    const text = `{"op":"msg","c":"${topicName(0)}","o":${++offset},"d":${data.toString()}}`;
    for (const client of server.clients) client.send(text);
    count(server.clients.size, server.clients.size);
  };
}

function socketIo(): (data: Buffer) => void {
  const server = new Server(http, {
    transports: ['websocket'],
    perMessageDeflate: false,
    serveClient: false,
    pingInterval: 600_000,
  });
  return (data) => {
    server.emit('msg', JSON.parse(data.toString()));
    count(server.engine.clientsCount, server.engine.clientsCount);
  };
}

function count(frames: number, calls: number): void {
  delivered += frames;
  writes += calls;
}

http.listen(0, '127.0.0.1', 4_096, () => tell({ port: (http.address() as AddressInfo).port }));
const loopDelay = watchLoop();
answerLines((question: 'stats' | 'gc' | { load: Load }) => {
  if (question === 'gc') globalThis.gc?.();
  if (typeof question === 'object') steadily(question.load, (_topic, data) => publish(data));
  const stats: ServerStats = { delivered, writes, ...loopDelay() };
  return stats;
});
process.on('SIGTERM', () => process.exit(0));
