import { describe, expect, it } from 'vitest';
import { deriveKey } from '../../../src/daemon/secrets.ts';
import { TicketKey, verifyTicket } from '../../../src/daemon/ticket-key.ts';
import type { AdmissionParts } from '../../../src/gateway/core/admission.ts';
import { Admission } from '../../../src/gateway/core/admission.ts';
import { encodeTicket, TICKET_TTL_MS } from '../../../src/protocol/ticket.ts';

describe('admission', () => {
  const keys = ['new secret of 16+', 'old secret of 16+'].map((secret) => deriveKey(secret, 'ticket', 'gw'));
  const ticket = (key: Buffer, seq: number, issuedMs: number, heraldId = 'h1'): string => {
    const mac = new TicketKey(key, heraldId).signOne(seq, issuedMs);
    return encodeTicket({ heraldId, seq, issuedMs, mac });
  };
  const admission = (more: Partial<AdmissionParts> = {}): Admission =>
    new Admission({
      isSigned: (one) => keys.some((key) => verifyTicket(key, one)),
      clockOffsetMs: (heraldId) => (heraldId === 'h1' ? 50_000 : undefined),
      required: false,
      ...more,
    });

  it('spends a fresh ticket once and counts it for its Herald', () => {
    const door = admission();
    const text = ticket(keys[0]!, 7, 50_000);
    expect(door.judge(text, 1_000)).toBe('fresh');
    expect(door.judge(text, 1_001)).toBe('used');
    expect(door.judge(ticket(keys[1]!, 8, 50_000), 1_001)).toBe('fresh');
    expect(door.admitted()).toEqual({ h1: { admitted: 2 } });
  });

  it('judges the age on the clock of the Herald that issued it', () => {
    const judged = (issuedMs: number): string => admission().judge(ticket(keys[0]!, 1, issuedMs), 100_000);
    expect(judged(150_000)).toBe('fresh');
    expect(judged(150_000 - TICKET_TTL_MS)).toBe('fresh');
    expect(judged(150_000 - TICKET_TTL_MS - 3_000)).toBe('expired');
    expect(judged(153_000)).toBe('expired');
  });

  it('remembers a spent ticket for as long as it could be used again', () => {
    const door = admission();
    const text = ticket(keys[0]!, 1, 50_000);
    expect(door.judge(text, 0)).toBe('fresh');
    for (let ms = 1_000; ms <= TICKET_TTL_MS; ms += 1_000) {
      door.judge(ticket(keys[0]!, ms, 50_000 + ms), ms);
      expect(door.judge(text, ms)).toBe('used');
    }
  });

  it('counts a ticket of a Herald whose clock it does not know yet only where tickets are hints', () => {
    expect(admission().judge(ticket(keys[0]!, 1, 0, 'h2'), 0)).toBe('fresh');
    const strict = admission({ required: true });
    expect(strict.judge(ticket(keys[0]!, 1, 0, 'h2'), 0)).toBe('unknown-herald');
    expect(strict.lets('unknown-herald')).toBe(false);
    expect(strict.lets('fresh')).toBe(true);
  });

  it('never reports more Heralds than a report may name', () => {
    const door = admission();
    for (let i = 0; i < 100; i++) door.judge(ticket(keys[0]!, i, 0, `herald-${i}`), 0);
    expect(Object.keys(door.admitted())).toHaveLength(64);
    expect(door.admitted()).toHaveProperty('herald-99');
  });

  it.each([
    [undefined, 'none'],
    ['', 'none'],
    ['nonsense', 'malformed'],
    [ticket(deriveKey('another secret 16', 'ticket', 'gw'), 1, 50_000), 'forged'],
  ])('says %s is %s', (text, verdict) => {
    expect(admission().judge(text, 0)).toBe(verdict);
  });
});
