import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { readRetryAfterMs } from '../../../src/protocol/retry.ts';

const NOW_MS = Date.UTC(1994, 10, 6, 8, 49, 0);
const DAY_MS = 86_400_000;

describe('what Retry-After asks for', () => {
  it.each([
    ['7', 7_000],
    [' 7 ', 7_000],
    ['0', 0],
    ['86401', DAY_MS],
    ['9'.repeat(400), DAY_MS],
    // The three forms of RFC 9110 section 5.6.7.
    ['Sun, 06 Nov 1994 08:49:37 GMT', 37_000],
    ['Sunday, 06-Nov-94 08:49:37 GMT', 37_000],
    ['Sun Nov  6 08:49:37 1994', 37_000],
    ['Fri, 31 Dec 9999 23:59:59 GMT', DAY_MS],
  ])('%j is that long', (retryAfter, waitMs) => {
    vi.stubEnv('TZ', 'America/New_York');
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(readRetryAfterMs({ 'retry-after': retryAfter }, NOW_MS)).toBe(waitMs);
  });

  it.each([
    ...['', '0x10', '1e9', '-7', '+7', '7.5', '7 s', '7, 7', '1994-11-06T08:49:37Z', 'Nov 6 1994'],
    'Sun, 06 Nov 1994 08:49:37 CET',
    'Sun, 99 Nov 1994 08:49:37 GMT',
    // Has passed.
    'Sun, 06 Nov 1994 08:49:00 GMT',
    'Thu, 01 Jan 1970 00:00:00 GMT',
    undefined,
    null,
    ['7', '8'],
  ])('%j is nothing', (retryAfter) => {
    expect(readRetryAfterMs({ 'retry-after': retryAfter }, NOW_MS)).toBeUndefined();
  });

  it('counts a date from that of the answer, where it has one', () => {
    const headers = { 'retry-after': 'Sat, 01 Jan 2000 00:02:00 GMT', date: 'Sat, 01 Jan 2000 00:00:00 GMT' };
    expect(readRetryAfterMs(headers, NOW_MS)).toBe(120_000);
    expect(readRetryAfterMs({ ...headers, date: 'yesterday' }, NOW_MS)).toBe(DAY_MS);
  });
});
