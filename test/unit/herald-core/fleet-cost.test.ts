import { describe, expect, it } from 'vitest';
import { FleetCost } from '../../../src/herald/core/fleet-cost.ts';

const equals = (cost: number): [number[], number[]] => [
  Array.from({ length: 9 }, () => cost),
  Array.from({ length: 9 }, () => 1_000),
];

describe('the cost of a connection in the fleet', () => {
  it('is known after one round and follows later ones slowly', () => {
    const fleet = new FleetCost();
    for (let i = 0; i < 30; i++) fleet.round(...equals(0.001));
    expect(fleet.cost / 0.001).toBeCloseTo(1, 1);
    fleet.round(...equals(0.002));
    expect(fleet.cost / 0.001).toBeCloseTo(1.1, 1);
  });

  it('is not moved by one gateway, however many connections it claims', () => {
    const fleet = new FleetCost();
    for (let i = 0; i < 30; i++) {
      fleet.round([...equals(0.001)[0], 1], [...equals(0.001)[1], 100_000_000]);
    }
    expect(fleet.cost / 0.001).toBeCloseTo(1, 1);
  });

  it('is the first guess while only a few connections are known', () => {
    const fleet = new FleetCost();
    fleet.round([0.1], [1]);
    expect(fleet.cost).toBeLessThan(0.003);
  });
});
