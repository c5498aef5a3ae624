// WebSocket by hand over a TCP socket, so that a test can send what no client library would: any header bits,
// any length form, any mask, any cut. RFC 6455 section 5.2.

import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect } from 'node:net';

export interface FrameShape {
  opcode: number;
  payload?: Uint8Array | string;
  fin?: boolean;
  /** RSV1 = 4, RSV2 = 2, RSV3 = 1. */
  rsv?: number;
  /** false = no mask, which a client must not do. */
  mask?: Uint8Array | false;
  /** Bytes of the length field: 1, 2 or 8; default the shortest that fits. */
  lengthBytes?: 1 | 2 | 8;
  /** What the length field says instead of the truth. */
  claimedLength?: bigint;
}

export function rawFrame(shape: FrameShape): Buffer {
  const payload = Buffer.from(shape.payload ?? '');
  const length = shape.claimedLength ?? BigInt(payload.length);
  const lengthBytes = shape.lengthBytes ?? (length < 126n ? 1 : length < 65_536n ? 2 : 8);
  const mask = shape.mask === false ? undefined : (shape.mask ?? Buffer.from([1, 2, 3, 4]));
  const head = Buffer.alloc(2 + (lengthBytes === 1 ? 0 : lengthBytes));
  head[0] = ((shape.fin ?? true) ? 0x80 : 0) | ((shape.rsv ?? 0) << 4) | shape.opcode;
  head[1] = (mask ? 0x80 : 0) | (lengthBytes === 1 ? Number(length) : lengthBytes === 2 ? 126 : 127);
  if (lengthBytes === 2) head.writeUInt16BE(Number(length), 2);
  if (lengthBytes === 8) head.writeBigUInt64BE(length, 2);
  if (!mask) return Buffer.concat([head, payload]);
  const masked = payload.map((byte, i) => byte ^ mask[i % 4]!);
  return Buffer.concat([head, mask, masked]);
}

export interface ReadFrame {
  fin: boolean;
  rsv: number;
  opcode: number;
  masked: boolean;
  payload: Buffer;
}

/** The whole frames at the start of `bytes`, and how many bytes they took. */
export function readFrames(bytes: Buffer): { frames: ReadFrame[]; used: number } {
  const frames: ReadFrame[] = [];
  let at = 0;
  while (bytes.length - at >= 2) {
    const first = bytes[at]!;
    const second = bytes[at + 1]!;
    const short = second & 0x7f;
    const extended = short === 126 ? 2 : short === 127 ? 8 : 0;
    if (bytes.length - at < 2 + extended) break;
    const length =
      extended === 0
        ? short
        : extended === 2
          ? bytes.readUInt16BE(at + 2)
          : Number(bytes.readBigUInt64BE(at + 2));
    const start = at + 2 + extended;
    if (bytes.length < start + length) break;
    frames.push({
      fin: (first & 0x80) !== 0,
      rsv: (first >> 4) & 7,
      opcode: first & 15,
      masked: (second & 0x80) !== 0,
      payload: bytes.subarray(start, start + length),
    });
    at = start + length;
  }
  return { frames, used: at };
}

/** Ends with what the server did: its close code, or 1006 when it went without one. */
export class RawClient {
  readonly socket: Socket;
  readonly texts: string[] = [];
  readonly frames: ReadFrame[] = [];
  status = 0;
  head = '';
  closeCode: number | undefined;
  ended = false;
  #bytes: Buffer = Buffer.alloc(0);
  #wake: () => void = () => {};

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', () => {});
    socket.on('close', () => {
      this.ended = true;
      this.#wake();
    });
  }

  /** Upgrades with these extra header lines; `status` says how it went. */
  static async open(port: number, headers: readonly string[] = []): Promise<RawClient> {
    const socket = connect(port, '127.0.0.1');
    socket.setNoDelay();
    await once(socket, 'connect');
    const client = new RawClient(socket);
    socket.write(
      [
        'GET /ws HTTP/1.1',
        'Host: localhost',
        'Upgrade: websocket',
        'Connection: Upgrade',
        'Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw==',
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Protocol: herald.v1.json',
        ...headers,
        '',
        '',
      ].join('\r\n'),
    );
    await client.until(() => client.status !== 0);
    return client;
  }

  #take(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    if (this.status === 0) {
      const end = this.#bytes.indexOf('\r\n\r\n');
      if (end < 0) return;
      this.head = this.#bytes.subarray(0, end).toString();
      this.status = Number(this.head.split(' ')[1]);
      this.#bytes = this.#bytes.subarray(end + 4);
    }
    const { frames, used } = readFrames(this.#bytes);
    this.#bytes = this.#bytes.subarray(used);
    for (const frame of frames) {
      this.frames.push(frame);
      if (frame.opcode === 1) this.texts.push(frame.payload.toString());
      if (frame.opcode === 8) {
        this.closeCode = frame.payload.length >= 2 ? frame.payload.readUInt16BE(0) : 1005;
      }
    }
    this.#wake();
  }

  send(shape: FrameShape): void {
    this.socket.write(rawFrame(shape));
  }

  sendText(frame: object | string): void {
    this.send({ opcode: 1, payload: typeof frame === 'string' ? frame : JSON.stringify(frame) });
  }

  async until(done: () => boolean, withinMs = 5_000): Promise<void> {
    const untilMs = performance.now() + withinMs;
    while (!done()) {
      const leftMs = untilMs - performance.now();
      if (leftMs <= 0 || this.ended) throw new Error(this.ended ? 'the socket ended' : 'waited too long');
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** The close code the server sent, or 1006 when the socket ended without one. */
  async closing(withinMs = 5_000): Promise<number> {
    try {
      await this.until(() => this.closeCode !== undefined || this.ended, withinMs);
    } catch (error) {
      if (!this.ended) throw error;
    }
    return this.closeCode ?? 1006;
  }

  destroy(): void {
    this.socket.destroy();
  }
}
