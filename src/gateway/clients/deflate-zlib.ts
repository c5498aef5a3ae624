// (8) The door to zlib: compresses one payload for all its subscribers (RFC 7692 section 7.2.1), without any
// context from earlier messages, so that it means the same to each of them.

import { constants, deflateRawSync } from 'node:zlib';
import type { Deflate } from '../core/message-frame.ts';

/** An empty block every sync flush ends with; the receiver puts it back. */
const TAIL_BYTES = 4;

export function createDeflate(level: number, onSaved: (bytes: number) => void): Deflate {
  return (payload) => {
    // A window no larger than the message: zlib clears its tables for each, which is most of the cost.
    const windowBits = Math.min(15, Math.max(9, Math.ceil(Math.log2(payload.length + 1))));
    const out = deflateRawSync(payload, {
      level,
      windowBits,
      memLevel: Math.min(8, windowBits - 7),
      finishFlush: constants.Z_SYNC_FLUSH,
    });
    const length = out.length - TAIL_BYTES;
    if (length >= payload.length) return undefined;
    onSaved(payload.length - length);
    return out.subarray(0, length);
  };
}
