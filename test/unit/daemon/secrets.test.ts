import { describe, expect, it } from 'vitest';
import { deriveKey, sameText, signFeedback } from '../../../src/daemon/secrets.ts';

const SECRET = 'correct horse battery';

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
