// (8) RFC 6455 frames as a server writes them: whole, unmasked. Pure, so that one frame can be built once and
// written to every subscriber; frames from clients are read by the ws package.

export const OPCODE = { text: 0x1, close: 0x8, ping: 0x9, pong: 0xa } as const;

const FIN = 0x80;
/** Marks a message compressed by permessage-deflate (RFC 7692 section 6). */
const RSV1 = 0x40;

/** Gives a buffer that may hold old bytes: every byte is written before it is read. */
export type Allocate = (size: number) => Uint8Array;

/** 2, 4 or 10, by the length of what follows (RFC 6455 section 5.2). */
export function headerBytes(payloadBytes: number): number {
  if (payloadBytes < 126) return 2;
  return payloadBytes < 65_536 ? 4 : 10;
}

/** Writes the header at the start of `target`; returns its length. */
export function writeHeader(
  target: Uint8Array,
  opcode: number,
  payloadBytes: number,
  deflated: boolean,
): number {
  target[0] = FIN | (deflated ? RSV1 : 0) | opcode;
  if (payloadBytes < 126) {
    target[1] = payloadBytes;
    return 2;
  }
  if (payloadBytes < 65_536) {
    target[1] = 126;
    target[2] = payloadBytes >>> 8;
    target[3] = payloadBytes & 0xff;
    return 4;
  }
  target[1] = 127;
  const high = Math.floor(payloadBytes / 2 ** 32);
  for (let i = 0; i < 4; i++) {
    target[2 + i] = (high >>> (24 - 8 * i)) & 0xff;
    target[6 + i] = (payloadBytes >>> (24 - 8 * i)) & 0xff;
  }
  return 10;
}

export function encodeFrame(
  payload: Uint8Array,
  opcode: number,
  deflated: boolean,
  allocate: Allocate,
): Uint8Array {
  const frame = allocate(headerBytes(payload.length) + payload.length);
  frame.set(payload, writeHeader(frame, opcode, payload.length, deflated));
  return frame;
}

const encoder = new TextEncoder();

/** One text frame of a JSON value: for the frames that go to one client. */
export function jsonFrame(value: object, allocate: Allocate): Uint8Array {
  return encodeFrame(encoder.encode(JSON.stringify(value)), OPCODE.text, false, allocate);
}
