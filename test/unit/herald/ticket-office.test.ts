import { expect, test } from 'vitest';
import { deriveKey } from '../../../src/daemon/secrets.ts';
import { TicketKey, verifyTicket } from '../../../src/daemon/ticket-key.ts';
import { createTicketOffice, SIGNED_AHEAD_MS } from '../../../src/herald/ticket-office.ts';
import { decodeTicket, encodeTicket } from '../../../src/protocol/ticket.ts';

test('issues exactly the tickets that gateways decode and verify', () => {
  const secret = 'a secret of sixteen';
  const office = createTicketOffice(secret, 'herald-1');
  const numbers = [0, 1, 35, 36, 99_999_999, 100_000_000, 36 ** 5 - 1, 36 ** 5, 1_763_851_000_123_456];
  for (const seq of [...numbers, ...numbers.map((seq) => seq + 1), Number.MAX_SAFE_INTEGER]) {
    for (const [gateway, issuedMs] of [
      ['gw-1', 0],
      ['gw-2', 98_765_432],
      ['gw-1', 2 ** 40],
    ] as const) {
      const key = new TicketKey(deriveKey(secret, 'ticket', gateway), 'herald-1');
      const mac = key.signOne(seq, issuedMs);
      const ticket = encodeTicket({ heraldId: 'herald-1', seq, issuedMs, mac });
      expect(office.open(gateway, 'before ').issue(seq, issuedMs)).toBe(`before ${ticket}`);
    }
  }
});

test('issues a number before its run like any other', () => {
  const office = createTicketOffice('a secret of sixteen', 'herald-1');
  const book = office.open('gw-1');
  for (const seq of [64, 65, 66, 40, 66]) {
    expect(book.issue(seq, 5)).toBe(office.open('gw-1').issue(seq, 5));
  }
});

test('signs ahead for gateways named often; every ticket is good, its own, and a second old at most', () => {
  const secret = 'a secret of sixteen';
  const office = createTicketOffice(secret, 'herald-1');
  const books = { 'gw-1': office.open('gw-1'), 'gw-2': office.open('gw-2') };
  const issued = new Set<string>();
  const ages: number[] = [];
  let nowMs = 5_000;
  // On the way the numbers get one digit more.
  const first = 36 ** 4 - 64;
  for (let seq = first; seq < first + 200; seq++) {
    // Named often, then so rarely that what was signed ahead is too old.
    nowMs += seq < first + 136 ? 10 : 700;
    for (const gateway of ['gw-1', 'gw-2'] as const) {
      const number = gateway === 'gw-1' ? seq : seq + 1_000;
      const text = books[gateway].issue(number, nowMs);
      const ticket = decodeTicket(text);
      if (!ticket.ok) throw new Error(text);
      expect(ticket.value.seq).toBe(number);
      expect(verifyTicket(deriveKey(secret, 'ticket', gateway), ticket.value)).toBe(true);
      ages.push(nowMs - ticket.value.issuedMs);
      issued.add(text);
    }
  }
  expect(issued.size).toBe(400);
  expect(Math.min(...ages)).toBe(0);
  expect(Math.max(...ages)).toBeLessThanOrEqual(SIGNED_AHEAD_MS);
  expect(ages.filter((ageMs) => ageMs > 0).length).toBeGreaterThan(200);
});
