// What must hold whatever gateways report and clients ask.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS, scoreOf } from '../../../src/herald/core/score.ts';
import type { Balancer } from '../../../src/herald/core/balancer-types.ts';
import type { LoadReport } from '../../../src/protocol/load-report.ts';
import { decodeLoadReport } from '../../../src/protocol/load-report.ts';
import { aBalancer, aLookup, aReport, HERALD, named, seeded } from '../../unit/herald-core/given.ts';

/** Any number a report can carry, the ends of the ranges included. */
const anyRatio = fc.oneof(
  fc.constantFrom(0, 1e-9, 0.26, 1, 1_000),
  fc.double({ min: 0, max: 1_000, noNaN: true }),
);
const anyCount = fc.oneof(fc.constantFrom(0, 1, 100_000_000), fc.integer({ min: 0, max: 100_000_000 }));

const anyFields = fc.record(
  {
    cpu: anyRatio,
    eventLoop: anyRatio,
    throttled: fc.double({ min: 0, max: 1, noNaN: true }),
    memory: anyRatio,
    bufferedBytes: fc.double({ min: 0, max: 1e15, noNaN: true }),
    deliveryLagMs: fc.double({ min: 0, max: 86_400_000, noNaN: true }),
    connections: anyCount,
    youngConnections: anyCount,
    acceptedTotal: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
    capacity: fc.oneof(
      fc.constantFrom(0.001, 1, 100_000),
      fc.double({ min: 0.001, max: 100_000, noNaN: true }),
    ),
    tickets: fc.constantFrom(
      {},
      { [HERALD]: { admitted: Number.MAX_SAFE_INTEGER } },
      { other: { admitted: 3 } },
    ),
  },
  { requiredKeys: ['cpu'] },
);

const GATEWAYS = 20;
const DRAWS = 8;

/** Twenty seconds of a fleet of equals of which one says `fields`; its share of the lookups. */
function shareOfOne(fields: Partial<LoadReport>, fleetCpu: number, seed: number): number {
  const balancer = aBalancer({ random: seeded(seed) });
  let got = 0;
  let all = 0;
  const accepted = new Array<number>(GATEWAYS).fill(0);
  for (let nowMs = 0; nowMs < 20_000; nowMs += 100) {
    if (nowMs % 500 === 0) {
      for (let i = 0; i < GATEWAYS; i++) {
        const tickets = { [HERALD]: { admitted: accepted[i]! } };
        const honest = { seq: nowMs, cpu: fleetCpu, connections: 3_000 + accepted[i]!, tickets };
        balancer.report(aReport(`gw-${i}`, i === 0 ? { ...honest, ...fields } : honest), nowMs);
      }
    }
    balancer.tick(nowMs);
    for (let i = 0; i < 3; i++) {
      const verdict = balancer.lookup(aLookup(), nowMs);
      if (!verdict.ok) continue;
      all++;
      const index = Number(verdict.best.gateway.slice(3));
      accepted[index]!++;
      if (index === 0) got++;
    }
  }
  return all === 0 ? 0 : got / all;
}

describe('whatever one gateway reports', () => {
  it('it gets at most d times its fair share', () => {
    fc.assert(
      fc.property(
        anyFields,
        fc.double({ min: 0, max: 0.85, noNaN: true }),
        fc.nat(),
        (fields, fleetCpu, seed) => {
          // Capacity is a claim too: it counts up to sixteen times the median, so a fair share is that of 16.
          const weight = Math.min(16, Math.max(1, fields.capacity ?? 1));
          const fair = weight / (GATEWAYS - 1 + weight);
          const share = shareOfOne(fields, fleetCpu, seed);
          // Three standard deviations of 600 lookups.
          expect(share).toBeLessThanOrEqual(Math.min(1, DRAWS * fair) + 0.062);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('every figure of the table stays a finite number', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(anyFields, fc.nat(3_000)), { maxLength: 30 }), (reports) => {
        const balancer = aBalancer();
        let nowMs = 0;
        reports.forEach(([fields, waitMs], i) => {
          nowMs += waitMs;
          balancer.report(aReport(`gw-${i % 3}`, { ...(fields as Partial<LoadReport>), seq: i }), nowMs);
          balancer.tick(nowMs);
          balancer.lookup(aLookup({ alternates: 3, key: i % 2 ? 'k' : '' }), nowMs);
          checkFigures(balancer, nowMs);
        });
      }),
      { numRuns: 200 },
    );
  });

  it('a report that decodes is taken or refused, never thrown at', () => {
    fc.assert(
      fc.property(fc.object(), anyFields, (noise, fields) => {
        const decoded = decodeLoadReport({ ...noise, ...aReport('a'), ...fields });
        if (decoded.ok) aBalancer().report(decoded.value, 0);
      }),
      { numRuns: 200 },
    );
  });
});

describe('a newcomer', () => {
  it('never starves: it gets at least its fair share while it is empty', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.2, max: 0.88, noNaN: true }), fc.nat(), (fleetCpu, seed) => {
        const share = shareOfOne({ cpu: 0.01, connections: 3 }, fleetCpu, seed);
        expect(share).toBeGreaterThan(1 / GATEWAYS);
      }),
      { numRuns: 20 },
    );
  });
});

describe('scores', () => {
  it('stay ordered above 1, for the table and for a lookup', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1, max: 900, noNaN: true }),
        fc.double({ min: 0.01, max: 50, noNaN: true }),
        (low, more) => {
          const limits = DEFAULT_LIMITS;
          expect(scoreOf({ cpu: low + more }, 1, limits)).toBeGreaterThan(scoreOf({ cpu: low }, 1, limits));
          const balancer = aBalancer({
            defaultPool: { admitScore: Infinity, admitReturningScore: Infinity },
          });
          balancer.report(aReport('worse', { cpu: low + more }), 0);
          balancer.report(aReport('bad', { cpu: low }), 0);
          expect(named(balancer.lookup(aLookup({ intent: 'move' }), 0))).toBe('bad');
        },
      ),
    );
  });
});

type Step =
  | { do: 'report'; gateway: number; admitted: number; accepted: number; back: number }
  | { do: 'restart' | 'suspect' | 'drain' | 'lookup' | 'keyed'; gateway: number }
  | { do: 'wait'; ms: number };

const gateway = fc.nat(4);
const steps: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('report' as const),
    gateway,
    admitted: fc.nat(100),
    accepted: fc.nat(100),
    back: fc.nat(3),
  }),
  fc.record({
    do: fc.constantFrom('restart', 'suspect', 'drain', 'lookup', 'lookup', 'keyed'),
    gateway,
  }) as fc.Arbitrary<Step>,
  fc.record({ do: fc.constant('wait' as const), ms: fc.oneof(fc.nat(500), fc.nat(60_000)) }),
);

it('keeps tickets in flight between zero and what was issued in the last ten seconds, whatever happens', () => {
  fc.assert(
    fc.property(fc.array(steps, { maxLength: 150 }), (story) => {
      const balancer = aBalancer();
      const boots = [0, 0, 0, 0, 0];
      const issuedAtMs: number[] = [];
      let nowMs = 0;
      let seq = 10;
      for (const step of story) {
        if (step.do === 'wait') {
          // As in production, ticks go on while nothing else does.
          const untilMs = nowMs + step.ms;
          for (; nowMs < untilMs; nowMs += 100) balancer.tick(nowMs);
        } else if (step.do === 'report') {
          const fields = {
            bootId: `b${boots[step.gateway]}`,
            seq: ++seq - step.back,
            acceptedTotal: step.accepted,
            tickets: { [HERALD]: { admitted: step.admitted } },
          };
          balancer.report(aReport(`gw-${step.gateway}`, fields), nowMs);
        } else if (step.do === 'restart') boots[step.gateway]!++;
        else if (step.do === 'suspect') balancer.suspect(`gw-${step.gateway}`, nowMs);
        else if (step.do === 'drain') {
          const state = nowMs % 2 ? 'drain' : 'up';
          balancer.setDesired(
            `gw-${step.gateway}`,
            { state, reason: '', author: '', untilEpochMs: 0 },
            nowMs,
          );
        } else {
          const verdict = balancer.lookup(aLookup({ key: step.do === 'keyed' ? 'k' : '' }), nowMs);
          if (verdict.ok) issuedAtMs.push(nowMs);
        }
        const recent = issuedAtMs.filter((atMs) => nowMs - atMs <= 10_300).length;
        const inFlight = checkFigures(balancer, nowMs);
        expect(inFlight).toBeLessThanOrEqual(recent);
      }
    }),
    { numRuns: 150 },
  );
});

/** Every number finite, none negative; returns the tickets in flight. */
function checkFigures(balancer: Balancer, nowMs: number): number {
  let inFlight = 0;
  for (const row of balancer.snapshot(nowMs).gateways) {
    for (const [field, value] of Object.entries(row)) {
      if (typeof value !== 'number') continue;
      expect(Number.isFinite(value), `${field} = ${value}`).toBe(true);
      expect(value, field).toBeGreaterThanOrEqual(0);
    }
    expect(row.weightPercent).toBeGreaterThanOrEqual(1);
    inFlight += row.inFlightTickets;
  }
  return inFlight;
}
