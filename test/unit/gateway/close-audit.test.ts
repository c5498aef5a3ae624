import { describe, expect, it } from 'vitest';
import { CloseAudit, closeCause, KEPT_CLOSES } from '../../../src/gateway/core/close-audit.ts';

describe('the close audit', () => {
  it('keeps the last thousand, newest first, and counts all by cause', () => {
    const audit = new CloseAudit();
    for (let i = 0; i < KEPT_CLOSES + 5; i++) {
      audit.add({ conn: String(i), cause: 'shutdown', code: 4204, atEpochMs: 0, livedMs: 0, messages: 0 });
    }
    expect(audit.last()).toHaveLength(KEPT_CLOSES);
    expect(audit.last(2).map(({ conn }) => conn)).toEqual(['1004', '1003']);
    expect(audit.byCause.get('shutdown')).toBe(KEPT_CLOSES + 5);
  });

  it.each([
    [4101, true, 'slow-consumer'],
    [4204, true, 'shutdown'],
    [1000, true, 'client-left'],
    [1000, false, 'client-left'],
    [1006, false, 'connection-lost'],
    [1009, true, 'ws-1009'],
    [1009, false, 'client-code'],
    [3000, false, 'client-code'],
    [4101, false, 'client-code'],
  ])('calls %d, ours: %s, %s', (code, isOurs, cause) => {
    expect(closeCause(code, isOurs)).toBe(cause);
  });
});
