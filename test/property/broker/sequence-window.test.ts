// The duplicate window against a plain set, on any order of sequence numbers.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SenderWindows, SequenceWindow, WINDOW_SEQUENCES } from '../../../src/protocol/sequence-window.ts';

describe('SequenceWindow', () => {
  it('knows exactly what it has seen, within its span', () => {
    const step = fc.oneof(
      { weight: 8, arbitrary: fc.integer({ min: -40, max: 60 }) },
      { weight: 1, arbitrary: fc.integer({ min: -70_000, max: 70_000 }) },
    );
    fc.assert(
      fc.property(fc.nat(200_000), fc.array(step, { maxLength: 300 }), (start, steps) => {
        const window = new SequenceWindow();
        const seen = new Set<number>();
        let at = start;
        let highest = -1;
        for (const by of steps) {
          at = Math.max(0, at + by);
          const expected =
            highest >= 0 && at <= highest - WINDOW_SEQUENCES ? 'old' : seen.has(at) ? 'seen' : 'new';
          expect(window.mark(at)).toBe(expected);
          if (expected === 'new') seen.add(at);
          highest = Math.max(highest, at);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('SenderWindows', () => {
  it('keeps senders that are heard of, and is bounded', () => {
    const windows = new SenderWindows(10, () => new SequenceWindow());
    for (let i = 0; i < 1_000; i++) {
      expect(windows.of('steady').mark(i)).toBe('new');
      windows.of(`passing-${i}`).mark(0);
      expect(windows.size).toBeLessThanOrEqual(10);
    }
    expect(windows.of('steady').mark(500)).toBe('seen');
  });
});
