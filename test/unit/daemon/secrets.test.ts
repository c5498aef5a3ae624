import { describe, expect, it } from 'vitest';
import { deriveKey, sameText, signFeedback, signTicket, verifyTicket } from '../../../src/daemon/secrets.ts';
import { decodeTicket, encodeTicket } from '../../../src/protocol/ticket.ts';

const SECRET = 'correct horse battery';
const claims = { heraldId: 'h1', seq: 7, issuedMs: 1_000 };

describe('a ticket', () => {
  const key = deriveKey(SECRET, 'ticket', 'gw-1');
  const ticket = { ...claims, mac: signTicket(key, claims, 'gw-1') };

  it('opens the gateway it was signed for', () => {
    expect(verifyTicket(key, ticket, 'gw-1')).toBe(true);
  });

  it('survives its wire form', () => {
    const decoded = decodeTicket(encodeTicket(ticket));
    expect(decoded.ok && verifyTicket(key, decoded.value, 'gw-1')).toBe(true);
  });

  it.each([
    ['another gateway', { ...ticket }, 'gw-2'],
    ['another Herald', { ...ticket, heraldId: 'h2' }, 'gw-1'],
    ['another sequence', { ...ticket, seq: 8 }, 'gw-1'],
    ['another time', { ...ticket, issuedMs: 1_001 }, 'gw-1'],
    ['a cut signature', { ...ticket, mac: ticket.mac.slice(1) }, 'gw-1'],
  ])('is worth nothing with %s', (_, changed, gateway) => {
    expect(verifyTicket(key, changed, gateway)).toBe(false);
  });
});

describe('a derived key', () => {
  it('differs by gateway, purpose and secret', () => {
    const keys = [
      deriveKey(SECRET, 'ticket', 'gw-1'),
      deriveKey(SECRET, 'ticket', 'gw-2'),
      deriveKey(SECRET, 'feedback', 'gw-1'),
      deriveKey(`${SECRET}!`, 'ticket', 'gw-1'),
    ].map((key) => key.toString('hex'));
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys[0]).toHaveLength(64);
  });
});

describe('the signature of a report', () => {
  const key = deriveKey(SECRET, 'feedback', 'gw-1');

  it('changes with the body and with the nonce', () => {
    const signature = signFeedback(key, 'n1', '{}');
    expect(signature).toBe(signFeedback(key, 'n1', '{}'));
    expect(signature).not.toBe(signFeedback(key, 'n2', '{}'));
    expect(signature).not.toBe(signFeedback(key, 'n1', '{ }'));
  });
});

describe('comparing texts', () => {
  it('knows equal from unequal, whatever the lengths', () => {
    expect(sameText('abc', 'abc')).toBe(true);
    expect(sameText('abc', 'abd')).toBe(false);
    expect(sameText('abc', 'abcd')).toBe(false);
    expect(sameText('', '')).toBe(true);
  });
});
