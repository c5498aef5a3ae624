// Each term of the expected load is there for a reason: without it the same storm ends measurably worse.

import { describe, expect, it } from 'vitest';
import type { LeftOut } from '../../../src/herald/core/balancer-options.ts';
import type { ScenarioName } from '../../../src/sim/index.ts';
import { runSimulation } from '../../../src/sim/index.ts';

const SMALL_FLEET = { policy: 'expected', gateways: 10, clientsPerGateway: 1_000, reportMs: 500 } as const;

function p99(scenario: ScenarioName, leftOut: LeftOut = {}): number {
  return runSimulation({ ...SMALL_FLEET, scenario, seed: 1, leftOut }).p99MaxMean;
}

describe('when a gateway dies and its clients come back', () => {
  const whole = p99('death');

  it('stays even with the whole formula', () => {
    expect(whole).toBeLessThan(1.03);
  });

  it.each(['young', 'pending', 'handshake', 'observer'] as const)('herds without the term %s', (term) => {
    expect(p99('death', { [term]: true })).toBeGreaterThan(whole + 0.015);
  });
});

it('gives a liar everything without the floor', () => {
  const floored = runSimulation({ ...SMALL_FLEET, scenario: 'liar', seed: 1 }).p50MaxMean;
  const bare = runSimulation({
    ...SMALL_FLEET,
    scenario: 'liar',
    seed: 1,
    leftOut: { floor: true },
  }).p50MaxMean;
  expect(floored).toBeLessThan(1.15);
  expect(bare).toBeGreaterThan(2);
});
