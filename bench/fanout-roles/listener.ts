// Thousands of clients in one process, as cheap as Node allows: one read buffer for all sockets, frame headers
// walked and payloads skipped, latency read from the stamps that the first few connections get.

import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { answerLines, cpuMs, tell } from '../broker-roles/cpu.ts';
import type { ListenerStats } from './words.ts';
import { sharedUs, STAMP_OFFSET, topicName } from './words.ts';

const given = JSON.parse(process.argv[2]!) as {
  port: number;
  connections: number;
  topics: number;
  deflate: boolean;
  subscribe: boolean;
};
/** Connections whose messages are timed. */
const TIMED = 64;
const MAX_SAMPLES = 200_000;
const AT_ONCE = 50;
const STAMP = Buffer.from('"t":');
const STAMP_DIGITS = 15;

const shared = Buffer.allocUnsafe(262_144);
const samples = new Float64Array(MAX_SAMPLES);
let sampled = 0;
let frames = 0;
let chunks = 0;
let bytes = 0;
let connected = 0;

class Listener {
  readonly #timed: boolean;
  #upgraded = false;
  #text = '';
  /** Payload bytes of the current frame that are still to come. */
  #skip = 0;
  #header = Buffer.alloc(10);
  #headerBytes = 0;
  readonly #onOpen: () => void;

  constructor(index: number, onOpen: () => void) {
    this.#timed = index < TIMED;
    this.#onOpen = onOpen;
  }

  take(length: number): void {
    chunks += 1;
    bytes += length;
    let at = 0;
    if (!this.#upgraded) {
      this.#text += shared.toString('latin1', 0, length);
      const end = this.#text.indexOf('\r\n\r\n');
      if (end < 0) return;
      at = length - (this.#text.length - end - 4);
      this.#upgraded = true;
      this.#text = '';
      this.#onOpen();
    }
    while (at < length) {
      if (this.#skip > 0) {
        const step = Math.min(this.#skip, length - at);
        this.#skip -= step;
        at += step;
        continue;
      }
      this.#header[this.#headerBytes++] = shared[at++]!;
      if (this.#headerBytes < 2) continue;
      const short = this.#header[1]!;
      const needed = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (this.#headerBytes < needed) continue;
      this.#skip =
        short < 126 ? short : short === 126 ? this.#header.readUInt16BE(2) : this.#header.readUInt32BE(6);
      this.#headerBytes = 0;
      frames += 1;
      if (this.#timed) this.#time(at, Math.min(length, at + 120));
    }
  }

  #time(from: number, to: number): void {
    const at = shared.subarray(from, to).indexOf(STAMP);
    const start = from + at + STAMP.length;
    if (at < 0 || start + STAMP_DIGITS > to) return;
    const dueUs = Number(shared.toString('latin1', start, start + STAMP_DIGITS)) - STAMP_OFFSET;
    samples[sampled++ % MAX_SAMPLES] = (sharedUs() - dueUs) / 1_000;
  }
}

function masked(frame: object): Buffer {
  const payload = Buffer.from(JSON.stringify(frame));
  return Buffer.concat([Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}

function open(index: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const listener = new Listener(index, () => {
      connected += 1;
      resolve(socket);
    });
    const socket = connect({
      port: given.port,
      host: '127.0.0.1',
      onread: {
        buffer: shared,
        callback(length) {
          listener.take(length);
          return true;
        },
      },
    });
    socket.on('error', reject);
    socket.on('close', () => (connected -= 1));
    const extension = given.deflate ? 'Sec-WebSocket-Extensions: permessage-deflate\r\n' : '';
    socket.write(
      'GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        `Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw==\r\nSec-WebSocket-Version: 13\r\n${extension}` +
        'Sec-WebSocket-Protocol: herald.v1.json\r\n\r\n',
    );
    socket.write(masked({ op: 'hello', v: 1 }));
    if (given.subscribe) {
      socket.write(masked({ op: 'sub', id: 1, c: [topicName(index % given.topics)] }));
    }
  });
}

const sockets: Socket[] = [];
for (let index = 0; index < given.connections; index += AT_ONCE) {
  const batch = Array.from({ length: Math.min(AT_ONCE, given.connections - index) }, (_, i) =>
    open(index + i),
  );
  sockets.push(...(await Promise.all(batch)));
}
tell({ connected });

answerLines((line) => {
  const question = JSON.parse(line) as 'reset' | 'stats';
  if (question === 'reset') {
    sampled = frames = chunks = bytes = 0;
  }
  const sorted = samples.slice(0, Math.min(sampled, MAX_SAMPLES)).sort();
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? 0;
  const stats: ListenerStats = {
    cpuMs: cpuMs(),
    frames,
    chunks,
    bytes,
    connected,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
  };
  return stats;
});
