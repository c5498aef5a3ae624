import { expect, test } from 'vitest';
import { createReplyWriter } from '../../../src/herald/http/lookup-reply.ts';
import type { Found } from '../../../src/herald/http/lookup-desk.ts';
import { createTicketOffice } from '../../../src/herald/ticket-office.ts';
import type { LookupReply } from '../../../src/protocol/lookup.ts';
import { decodeTicket, TICKET_TTL_MS } from '../../../src/protocol/ticket.ts';

const STARTED_EPOCH_MS = 1_790_000_000_000;

function writer() {
  let nowMs = 5_000;
  const clock = { nowMs: () => nowMs, epochMs: () => STARTED_EPOCH_MS + nowMs };
  const write = createReplyWriter(createTicketOffice('a secret of sixteen', 'h1'), clock);
  const at = (ms: number, found: Found): LookupReply => {
    nowMs = ms;
    return JSON.parse(write(found, ms)) as LookupReply;
  };
  return { at };
}

let seq = 1_000_000;
const pick = (gateway: string, url = `ws://${gateway}/ws`) => ({ gateway, url, ticketSeq: seq++ });
const found = (more: Partial<Found> = {}): Found => ({
  ok: true,
  lookupId: 'h1.x.1',
  best: pick('a'),
  alternates: [],
  tableVersion: 3,
  tableAgeMs: 41.6,
  ...more,
});

test('writes every field, with and without alternates, and what has changed since the last answer', () => {
  const { at } = writer();
  const one = found();
  expect(at(5_000, one)).toMatchObject({
    lookupId: 'h1.x.1',
    gateway: 'a',
    url: 'ws://a/ws',
    alternates: [],
    table: { version: 3, ageMs: 42 },
  });
  const more = found({
    best: pick('a', 'ws://moved/ws'),
    alternates: [pick('b'), pick('c')],
    tableVersion: 4,
  });
  const second = at(5_001, more);
  expect(second).toMatchObject({ url: 'ws://moved/ws', table: { version: 4 } });
  expect(second.alternates).toMatchObject([
    { gateway: 'b', url: 'ws://b/ws' },
    { gateway: 'c', url: 'ws://c/ws' },
  ]);
  const tickets = [second.ticket, ...second.alternates.map(({ ticket }) => ticket)].map(decodeTicket);
  expect(tickets.map((ticket) => ticket.ok && ticket.value.seq)).toEqual(
    [more.best, ...more.alternates].map(({ ticketSeq }) => ticketSeq),
  );
});

test('names a time until which every ticket of the answer is good, and not much too early a one', () => {
  const { at } = writer();
  for (let nowMs = 5_000; nowMs < 12_000; nowMs += 37) {
    const reply = at(nowMs, found({ alternates: [pick('b')] }));
    const expiresMs = Date.parse(reply.expiresAt) - STARTED_EPOCH_MS;
    for (const text of [reply.ticket, reply.alternates[0]!.ticket]) {
      const ticket = decodeTicket(text);
      if (!ticket.ok) throw new Error(text);
      expect(expiresMs).toBeLessThanOrEqual(ticket.value.issuedMs + TICKET_TTL_MS);
    }
    expect(nowMs + TICKET_TTL_MS - expiresMs).toBeLessThanOrEqual(1_100);
  }
});
