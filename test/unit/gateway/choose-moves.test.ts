import { describe, expect, it } from 'vitest';
import { chooseMoves, REST_AFTER_MOVE_MS } from '../../../src/gateway/core/choose-moves.ts';

describe('choosing who moves', () => {
  let seed = 7;
  const random = (): number => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
  const fleet = (loads: number[], movedMs = -Infinity): { load: () => number; movedMs: number }[] =>
    loads.map((load) => ({ load: () => load, movedMs }));

  it('prefers heavy connections and stops at the work ordered', () => {
    const connections = fleet(Array.from({ length: 1_000 }, (_, i) => (i < 100 ? 0.01 : 0.0001)));
    const chosen = chooseMoves(connections, { count: 1_000, work: 0.2 }, 0, random);
    const moved = chosen.reduce((sum, one) => sum + one.load(), 0);
    expect(moved).toBeGreaterThan(0.19);
    expect(moved).toBeLessThanOrEqual(0.21);
    expect(chosen.filter((one) => one.load() === 0.01).length).toBeGreaterThan(15);
  });

  it('moves nobody heavier than half of what is left', () => {
    const chosen = chooseMoves(fleet([0.6, 0.6, 0.1]), { count: 3, work: 1 }, 0, random);
    expect(chosen.map((one) => one.load())).toEqual([0.1]);
  });

  it('leaves alone who moved in the last ten minutes', () => {
    expect(
      chooseMoves(fleet([1, 1], 0), { count: 2, work: undefined }, REST_AFTER_MOVE_MS - 1, random),
    ).toEqual([]);
    expect(
      chooseMoves(fleet([1, 1], 0), { count: 2, work: undefined }, REST_AFTER_MOVE_MS, random),
    ).toHaveLength(2);
  });

  it('moves nobody twice and never more than ordered', () => {
    const chosen = chooseMoves(
      fleet(Array.from({ length: 50 }, () => 1)),
      { count: 40, work: undefined },
      0,
      random,
    );
    expect(new Set(chosen).size).toBe(40);
    expect(chooseMoves([], { count: 5, work: 1 }, 0, random)).toEqual([]);
  });
});
