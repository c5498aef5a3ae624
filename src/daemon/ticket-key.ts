// Signs and checks tickets: AES-256-CMAC (NIST SP 800-38B, RFC 4493) over one block, the ticket's number and its
// issue time. Whom it is for and whose it is are in the key. One block is one call of the cipher, and any number of
// tickets are one call as well, which a hash that digests texts cannot offer (docs/adr/0010).

import type { Cipher } from 'node:crypto';
import { createCipheriv, createHmac } from 'node:crypto';
import type { Ticket } from '../protocol/ticket.ts';
import { sameText } from './secrets.ts';

/** One block of the cipher. */
const MAC_BYTES = 16;
/** A signature in base64url, and the way from one to the next where many are written at once. */
const MAC_CHARS = 22;
const STEP_CHARS = 24;
const STEP_BYTES = 18;
const WORD = 2 ** 32;

/** Signatures that one call may make. */
const MAX_AT_ONCE = 64;
/** Scratch space, kept because allocating it would cost as much as the signatures do. Empty between calls. */
const BLOCKS = new ArrayBuffer(MAX_AT_ONCE * MAC_BYTES);
const SPACED = Buffer.alloc(MAX_AT_ONCE * STEP_BYTES);

export class TicketKey {
  readonly #mac: BlockMac;

  /** `gatewayKey` is the gateway's key for tickets (secrets.ts); `heraldId` the Herald that signs. */
  constructor(gatewayKey: Uint8Array, heraldId: string) {
    this.#mac = new BlockMac(createHmac('sha256', gatewayKey).update(heraldId).digest());
  }

  /**
   * The signatures of tickets `first`, `first + 1` and so on, in one text of which `macAt` has each. Throws a
   * RangeError for more than 64.
   */
  sign(first: number, count: number, issuedMs: number): string {
    const blocks = new DataView(BLOCKS, 0, count * MAC_BYTES);
    const issuedHigh = highWord(issuedMs);
    for (let i = 0, at = 0; i < count; i++, at += MAC_BYTES) {
      const high = highWord(first + i);
      blocks.setUint32(at, high);
      blocks.setUint32(at + 4, first + i - high * WORD);
      blocks.setUint32(at + 8, issuedHigh);
      blocks.setUint32(at + 12, issuedMs - issuedHigh * WORD);
    }
    const macs = this.#mac.ofEach(blocks);
    // Three bytes are four characters: with two more after it each signature begins where characters do.
    for (let i = 0; i < count; i++) {
      for (let j = 0; j < MAC_BYTES; j++) SPACED[i * STEP_BYTES + j] = macs[i * MAC_BYTES + j]!;
    }
    return SPACED.toString('base64url', 0, count * STEP_BYTES);
  }

  /** The signature of ticket `seq` alone. */
  signOne(seq: number, issuedMs: number): string {
    return macAt(this.sign(seq, 1, issuedMs), 0);
  }
}

/** The signature of ticket `first + place`, as tickets carry it. */
export function macAt(macs: string, place: number): string {
  return macs.slice(place * STEP_CHARS, place * STEP_CHARS + MAC_CHARS);
}

/** Compares in constant time. */
export function verifyTicket(gatewayKey: Uint8Array, { heraldId, seq, issuedMs, mac }: Ticket): boolean {
  return sameText(new TicketKey(gatewayKey, heraldId).signOne(seq, issuedMs), mac);
}

/** AES-CMAC of messages that are exactly one block. */
export class BlockMac {
  readonly #cipher: Cipher;
  /** K1 of the standard, which masks a last block that is whole. */
  readonly #mask: DataView;

  /** A key of 32 bytes. */
  constructor(key: Uint8Array) {
    // Bare blocks, so that the cipher can be kept and fed for ever: the chaining is ours, and is one XOR.
    this.#cipher = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false);
    this.#mask = viewOf(doubled(this.#cipher.update(Buffer.alloc(MAC_BYTES))));
  }

  /** One signature of 16 bytes for each block of 16, which are overwritten. */
  ofEach(blocks: DataView): Buffer {
    for (let at = 0; at < blocks.byteLength; at += 4) {
      blocks.setUint32(at, blocks.getUint32(at) ^ this.#mask.getUint32(at % MAC_BYTES));
    }
    return this.#cipher.update(blocks);
  }
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

/** Times x in GF(2^128), as the standard has it. */
function doubled(block: Buffer): Buffer {
  const out = Buffer.alloc(MAC_BYTES);
  for (let i = 0; i < MAC_BYTES; i++) out[i] = (block[i]! << 1) | ((block[i + 1] ?? 0) >> 7);
  if (block[0]! & 0x80) out[MAC_BYTES - 1]! ^= 0x87;
  return out;
}

/** The upper 32 bits of an integer up to 2^53. */
function highWord(value: number): number {
  return Math.floor(value / WORD);
}
