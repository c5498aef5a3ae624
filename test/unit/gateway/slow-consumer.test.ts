import { describe, expect, it } from 'vitest';
import { judgeBacklog } from '../../../src/gateway/core/slow-consumer.ts';

describe('slow consumers', () => {
  const limits = { softBytes: 100, hardBytes: 1_000, softForMs: 50 };
  it.each([
    [100, 0, undefined, 0, 'fine'],
    [101, 0, undefined, 0, 'slow'],
    [101, 0, 0, 49, 'slow'],
    [101, 0, 0, 50, 'too-slow'],
    [50, 0, 0, 5_000, 'fine'],
    [1_001, 0, undefined, 0, 'too-slow'],
    // A replay of ten times the soft limit has eleven times as long, with or without news behind it.
    [1_000, 1_000, 0, 549, 'slow'],
    [1_000, 1_000, 0, 550, 'too-slow'],
    [2_000, 1_000, 0, 549, 'slow'],
    [2_001, 1_000, 0, 0, 'too-slow'],
  ] as const)(
    '%d bytes, %d of a replay, over since %s, at %d ms: %s',
    (bytes, replay, since, nowMs, verdict) => {
      expect(judgeBacklog(bytes, replay, since, nowMs, limits)).toBe(verdict);
    },
  );
});
