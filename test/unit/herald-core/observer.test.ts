import { describe, expect, it } from 'vitest';
import { BASE, COST, GatewaySlots, STRIDE, YOUNG } from '../../../src/herald/core/gateway-slots.ts';
import { observe } from '../../../src/herald/core/observer.ts';

const FLEET_COST = 0.0005;
const FLEET = { cost: FLEET_COST, leftOut: {} };

function given(): { see: (score?: number, connections?: number) => number; field: (at: number) => number } {
  const slots = new GatewaySlots();
  slots.add('another', 0);
  const record = slots.add('gw', 0);
  let first = true;
  return {
    /** Takes a report in and returns the score as corrected; without a score it is one of counters alone. */
    see(score, connections = 1_000) {
      observe(slots, record, { score, connections, youngConnections: 0, first }, FLEET);
      first = false;
      return record.correctedScore;
    },
    field: (at) => slots.hot[record.slot * STRIDE + at]!,
  };
}

describe('the observed load', () => {
  it('is the first report, as it stands', () => {
    expect(given().see(0.42)).toBe(0.42);
    expect(given().see(undefined, 800)).toBeCloseTo(800 * FLEET_COST);
  });

  it("is no connection's fault as far as it was there without any", () => {
    const { see, field } = given();
    see(0.3, 0);
    see(0.3, 100);
    expect(field(COST)).toBeCloseTo((50 * FLEET_COST) / 150, 6);
    // Lower than that it cannot have been.
    see(0.1, 100);
    see(0.1, 100);
    expect(field(COST)).toBeGreaterThan((50 * FLEET_COST) / 150);
  });

  it('knows no more young connections than there are', () => {
    const slots = new GatewaySlots();
    const record = slots.add('gw', 0);
    observe(slots, record, { score: 0.5, connections: 10, youngConnections: 1_000, first: true }, FLEET);
    expect(slots.hot[record.slot * STRIDE + YOUNG]).toBe(10);
  });

  it('moves with the connections between two full reports', () => {
    for (const [connections, least, most] of [
      [1_100, 0.54, 0.55],
      [900, 0.44, 0.45],
    ] as const) {
      const { see } = given();
      see(0.5, 1_000);
      const score = see(undefined, connections);
      expect(score).toBeGreaterThan(least);
      expect(score).toBeLessThan(most);
    }
  });

  it('hardly follows errors that cancel, follows one that keeps its sign, and believes a surprise at once', () => {
    const { see } = given();
    see(0.5);
    for (let i = 0; i < 60; i++) see(i % 2 === 0 ? 0.54 : 0.46);
    expect(Math.abs(see(0.54) - 0.5)).toBeLessThan(0.01);
    expect(see(0.7)).toBeGreaterThan(0.61);

    const steady = given();
    steady.see(0.5);
    expect(steady.see(0.55)).toBeCloseTo(0.54, 6);
  });

  it('is what a gateway without connections measures, however busy its start was', () => {
    const { see } = given();
    see(0, 0);
    expect(see(1, 0)).toBe(1);
    expect(see(0.3, 0)).toBe(0.3);
    expect(see(undefined, 0)).toBe(0.3);
    see(0.2, 0);
    // An error of the size of the start would pass for noise, and a lower one after it as well.
    expect(see(0.15, 1)).toBeLessThan(0.17);
  });

  it('of a gateway that reports under a quarter of what its connections should cost is a little more than that', () => {
    const liar = given();
    liar.see(0.1);
    expect(liar.field(BASE)).toBeCloseTo(1.05 * 0.5, 6);
    expect(liar.field(COST)).toBeCloseTo(FLEET_COST, 6);
    const modest = given();
    modest.see(0.13);
    expect(modest.field(BASE)).toBeCloseTo(0.5 * 0.5, 6);
    const idle = given();
    idle.see(0, 90);
    expect(idle.field(BASE)).toBe(0);
  });
});
