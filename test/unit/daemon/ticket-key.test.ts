import { describe, expect, it } from 'vitest';
import { deriveKey } from '../../../src/daemon/secrets.ts';
import { BlockMac, macAt, TicketKey, verifyTicket } from '../../../src/daemon/ticket-key.ts';
import { decodeTicket, encodeTicket } from '../../../src/protocol/ticket.ts';

describe('AES-CMAC of one block', () => {
  const view = (...blocks: Uint8Array[]): DataView =>
    new DataView(Uint8Array.from(Buffer.concat(blocks)).buffer);

  it('is that of the examples of NIST SP 800-38B and of an independent implementation', () => {
    const key = Buffer.from('603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4', 'hex');
    const block = Buffer.from('6bc1bee22e409f96e93d7e117393172a', 'hex');
    expect(new BlockMac(key).ofEach(view(block)).toString('hex')).toBe('28a7023f452e8f82bd4bf28d8c37c35c');
    // openssl mac -cipher AES-256-CBC -macopt hexkey:... CMAC, of a key whose first block has its top bit clear and
    // of one whose has it set.
    for (const [last, expected] of [
      [1, 'ff8ea966d75d4652167515b3d684018e'],
      [2, '3be6bf8031c262811e051b7b06c3c07e'],
    ] as const) {
      const small = Buffer.alloc(32);
      small[31] = last;
      expect(new BlockMac(small).ofEach(view(Buffer.alloc(16, 'a'))).toString('hex')).toBe(expected);
    }
  });

  it('is the same for a block among others, and the second time', () => {
    const mac = new BlockMac(Buffer.alloc(32, 3));
    const block = (fill: number): Buffer => Buffer.alloc(16, fill);
    const alone = [1, 2, 3].map((fill) => mac.ofEach(view(block(fill))).toString('hex'));
    const together = mac.ofEach(view(...[1, 2, 3].map(block)));
    expect(together.toString('hex')).toBe(alone.join(''));
  });
});

describe('a ticket', () => {
  const key = deriveKey('correct horse battery', 'ticket', 'gw-1');
  const claims = { heraldId: 'h1', seq: 7, issuedMs: 1_000 };
  const ticket = { ...claims, mac: new TicketKey(key, 'h1').signOne(7, 1_000) };

  it('opens the gateway it was signed for', () => {
    expect(verifyTicket(key, ticket)).toBe(true);
  });

  it('survives its wire form', () => {
    const decoded = decodeTicket(encodeTicket(ticket));
    expect(decoded.ok && verifyTicket(key, decoded.value)).toBe(true);
  });

  it('is signed the same alone and among others, up to the largest numbers', () => {
    const signer = new TicketKey(key, 'h1');
    for (const first of [0, 2 ** 31 - 4, 2 ** 32 - 4, Number.MAX_SAFE_INTEGER - 7]) {
      const alone = Array.from({ length: 8 }, (_, i) => signer.signOne(first + i, first));
      const together = signer.sign(first, 8, first);
      expect(alone.map((_, i) => macAt(together, i))).toEqual(alone);
      expect(new Set(alone).size).toBe(8);
    }
  });

  it.each([
    ['another gateway', ticket, deriveKey('correct horse battery', 'ticket', 'gw-2')],
    ['another secret', ticket, deriveKey('incorrect horse battery', 'ticket', 'gw-1')],
    ['another Herald', { ...ticket, heraldId: 'h2' }, key],
    ['another number', { ...ticket, seq: 8 }, key],
    ['a number 2^32 further', { ...ticket, seq: 7 + 2 ** 32 }, key],
    ['another time', { ...ticket, issuedMs: 1_001 }, key],
    ['number and time exchanged', { ...ticket, seq: 1_000, issuedMs: 7 }, key],
    ['a cut signature', { ...ticket, mac: ticket.mac.slice(1) }, key],
  ])('is worth nothing with %s', (_, changed, other) => {
    expect(verifyTicket(other, changed)).toBe(false);
  });
});
