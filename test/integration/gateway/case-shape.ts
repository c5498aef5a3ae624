// What a protocol case is, and the frames that the tables are built from.

import type { FrameShape } from '../../launch/raw-ws.ts';
import { rawFrame } from '../../launch/raw-ws.ts';

export interface ProtocolCase {
  name: string;
  bytes: readonly Buffer[];
  expect: number | 'alive';
  /** Send hello first; default true. */
  hello?: boolean;
  deflate?: boolean;
  /** The op of a frame that must come back, and fields of it. */
  answer?: Record<string, unknown>;
  /** Payload of the WebSocket pong that must come back (RFC 6455 section 5.5.3). */
  pong?: string;
}

export const text = (frame: object | string): FrameShape => ({
  opcode: 1,
  payload: typeof frame === 'string' ? frame : JSON.stringify(frame),
});
export const one = (shape: FrameShape): Buffer[] => [rawFrame(shape)];
export const PING = { op: 'ping' };
/** A ping of exactly this many bytes. */
export const pingOf = (length: number): string => `{"op":"ping","pad":"${'x'.repeat(length - 22)}"}`;
export function closeFrame(code: number, reason: string | Buffer = ''): Buffer {
  const payload = Buffer.alloc(2);
  payload.writeUInt16BE(code);
  return rawFrame({ opcode: 8, payload: Buffer.concat([payload, Buffer.from(reason)]) });
}
