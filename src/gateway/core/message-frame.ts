// (8) The `msg` frame, written without parsing: the published JSON stays the bytes it came as, between a
// prefix that is made once a topic and the closing brace. No field differs by connection, which is what lets
// one buffer serve every subscriber.

import type { Allocate } from './ws-frame.ts';
import { encodeFrame, headerBytes, OPCODE, writeHeader } from './ws-frame.ts';

const encoder = new TextEncoder();
const OFFSET = encoder.encode('"o":');
const DATA = encoder.encode(',"d":');
const CLOSING_BRACE = 0x7d;
const ZERO = 0x30;
/** The `e` of `"e":`. */
const EPOCH_NAME = 0x65;

/** `{"op":"msg","c":"<topic>",` as bytes. Topics need no escapes (TOPIC_PATTERN). */
export function messagePrefix(topic: string): Uint8Array {
  return encoder.encode(`{"op":"msg","c":"${topic}",`);
}

/** The whole frame. `epoch` is written only when it is not empty: where a topic's offsets count anew. */
export function encodeMessage(
  prefix: Uint8Array,
  epoch: string,
  offset: number,
  data: Uint8Array,
  allocate: Allocate,
): Uint8Array {
  const epochBytes = epoch === '' ? 0 : epoch.length + 7;
  const digits = digitsOf(offset);
  const payload = prefix.length + epochBytes + OFFSET.length + digits + DATA.length + data.length + 1;
  const frame = allocate(headerBytes(payload) + payload);
  let at = writeHeader(frame, OPCODE.text, payload, false);
  frame.set(prefix, at);
  at += prefix.length;
  if (epoch !== '') {
    frame.set(encoder.encode(`"e":"${epoch}",`), at);
    at += epochBytes;
  }
  frame.set(OFFSET, at);
  at += OFFSET.length;
  let rest = offset;
  for (let i = at + digits - 1; i >= at; i--) {
    const tenth = Math.floor(rest / 10);
    frame[i] = ZERO + (rest - tenth * 10);
    rest = tenth;
  }
  at += digits;
  frame.set(DATA, at);
  at += DATA.length;
  frame.set(data, at);
  frame[frame.length - 1] = CLOSING_BRACE;
  return frame;
}

/** The same message with its epoch in it. */
export function namingEpoch(
  prefix: Uint8Array,
  frame: Uint8Array,
  epoch: string,
  allocate: Allocate,
): Uint8Array {
  const payload = payloadOf(frame);
  if (payload[prefix.length + 1] === EPOCH_NAME) return frame;
  const name = encoder.encode(`"e":"${epoch}",`);
  const named = allocate(headerBytes(payload.length + name.length) + payload.length + name.length);
  const at = writeHeader(named, OPCODE.text, payload.length + name.length, false);
  named.set(prefix, at);
  named.set(name, at + prefix.length);
  named.set(payload.subarray(prefix.length), at + prefix.length + name.length);
  return named;
}

/** Compresses a payload for RFC 7692 without context; undefined when it would not be smaller. */
export type Deflate = (payload: Uint8Array) => Uint8Array | undefined;

/** The compressed twin of a plain frame, or the plain frame itself: both are legal to a client that inflates. */
export function deflatedTwin(plain: Uint8Array, deflate: Deflate, allocate: Allocate): Uint8Array {
  const compressed = deflate(payloadOf(plain));
  return compressed ? encodeFrame(compressed, OPCODE.text, true, allocate) : plain;
}

function payloadOf(frame: Uint8Array): Uint8Array {
  const length = frame[1]!;
  return frame.subarray(length < 126 ? 2 : length === 126 ? 4 : 10);
}

function digitsOf(value: number): number {
  let digits = 1;
  for (let limit = 10; value >= limit; limit *= 10) digits += 1;
  return digits;
}
