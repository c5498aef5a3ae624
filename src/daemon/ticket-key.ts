// Signs and checks tickets: AES-256-CMAC (NIST SP 800-38B, RFC 4493) over one block, the ticket's number and its
// issue time. Whom it is for and whose it is are in the key. One block is one call of the cipher, and any number of
// tickets are one call as well, which a hash that digests texts cannot offer (docs/adr/0010).

import type { Cipher } from 'node:crypto';
import { createCipheriv, createHmac } from 'node:crypto';
import type { Ticket } from '../protocol/ticket.ts';
import { sameText } from './secrets.ts';

/** One block of the cipher. */
export const MAC_BYTES = 16;
const WORD = 2 ** 32;

export class TicketKey {
  readonly #mac: BlockMac;

  /** `gatewayKey` is the gateway's key for tickets (secrets.ts); `heraldId` the Herald that signs. */
  constructor(gatewayKey: Uint8Array, heraldId: string) {
    this.#mac = new BlockMac(createHmac('sha256', gatewayKey).update(heraldId).digest());
  }

  /** The signatures of tickets `first`, `first + 1` and so on, `MAC_BYTES` each. */
  sign(first: number, count: number, issuedMs: number): Buffer {
    const blocks = Buffer.allocUnsafe(count * MAC_BYTES);
    const issuedHigh = highWord(issuedMs);
    const issuedLow = issuedMs - issuedHigh * WORD;
    for (let i = 0, at = 0; i < count; i++) {
      const high = highWord(first + i);
      at = blocks.writeUInt32BE(high, at);
      at = blocks.writeUInt32BE(first + i - high * WORD, at);
      at = blocks.writeUInt32BE(issuedHigh, at);
      at = blocks.writeUInt32BE(issuedLow, at);
    }
    return this.#mac.ofEach(blocks);
  }
}

/** Compares in constant time. */
export function verifyTicket(gatewayKey: Uint8Array, { heraldId, seq, issuedMs, mac }: Ticket): boolean {
  return sameText(new TicketKey(gatewayKey, heraldId).sign(seq, 1, issuedMs).toString('base64url'), mac);
}

/** AES-CMAC of messages that are exactly one block. */
export class BlockMac {
  readonly #cipher: Cipher;
  /** K1 of the standard, which masks a last block that is whole. */
  readonly #mask: Buffer;

  /** A key of 32 bytes. */
  constructor(key: Uint8Array) {
    // Bare blocks, so that the cipher can be kept and fed for ever: the chaining is ours, and is one XOR.
    this.#cipher = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false);
    this.#mask = doubled(this.#cipher.update(Buffer.alloc(MAC_BYTES)));
  }

  /** One signature of 16 bytes for each block of 16, which are overwritten. */
  ofEach(blocks: Uint8Array): Buffer {
    const mask = this.#mask;
    for (let at = 0; at < blocks.length; at += MAC_BYTES) {
      for (let i = 0; i < MAC_BYTES; i++) blocks[at + i]! ^= mask[i]!;
    }
    return this.#cipher.update(blocks);
  }
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
