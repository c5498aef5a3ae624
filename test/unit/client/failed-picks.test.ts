import { expect, it } from 'vitest';
import { createFailedPicks } from '../../../src/client/core/failed-picks.ts';

const pick = (gateway: string) => ({ gateway, url: `ws://${gateway}/ws`, ticket: `t1.h.${gateway}` });

it('leaves out a gateway that failed for 30 s, and no longer', () => {
  const failed = createFailedPicks();
  failed.note(pick('g1'), 'refused', 0);
  failed.note(pick('g2'), 'refused', 20_000);
  expect(failed.excluded([], 30_000)).toEqual(['g1', 'g2']);
  expect(failed.excluded([], 30_001)).toEqual(['g2']);
});

it('leaves out what the program named rather than what failed, where there is no room for both', () => {
  const failed = createFailedPicks();
  for (let i = 0; i < 20; i++) failed.note(pick(`g${i}`), 'refused', i);
  const excluded = failed.excluded(['own', 'g19'], 20);
  expect(excluded).toHaveLength(16);
  expect(excluded.at(-1)).toBe('own');
  expect(excluded[0]).toBe('g5');
});

it('names the ticket of the first that failed, until Herald has heard of it', () => {
  const failed = createFailedPicks();
  expect([failed.ticket(), failed.lastWhy()]).toEqual(['', '']);
  failed.note(pick('g1'), 'refused', 0);
  failed.note(pick('g2'), 'silent', 0);
  expect([failed.ticket(), failed.lastWhy()]).toEqual(['t1.h.g1', 'g2: silent']);
  failed.told();
  expect(failed.ticket()).toBe('');
});

it('forgives all at once, and says why the last one failed', () => {
  const failed = createFailedPicks();
  failed.note(pick('g1'), 'refused', 0);
  expect(failed.forgive()).toBe('g1: refused');
  expect(failed.excluded([], 0)).toEqual([]);
  expect(failed.forgive()).toBe('');
});
