// Gateways at their hard caps: whoever is named has room for one more, and nobody is refused while one has.

import fc from 'fast-check';
import { it } from 'vitest';
import type { Balancer } from '../../../src/herald/core/balancer-types.ts';
import type { LoadReport } from '../../../src/protocol/load-report.ts';
import type { LookupRequest } from '../../../src/protocol/lookup.ts';
import { aBalancer, aLookup, aReport, lacking, seeded } from '../../unit/herald-core/given.ts';

const GATEWAYS = 4;
/** Loads here come from counts alone: one connect costs nothing, and no ticket is ever confirmed. */
const FREE = { handshakeSeconds: 0 };

type Step =
  | { do: 'report'; gateway: number; connections: number; maxConnections: number | undefined }
  | { do: 'wait'; ms: number }
  | { do: 'ask'; times: number; asked: Partial<LookupRequest> };

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('report' as const),
    gateway: fc.nat(GATEWAYS - 1),
    connections: fc.nat(25),
    maxConnections: fc.oneof(fc.constant(undefined), fc.integer({ min: 1, max: 20 })),
  }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.oneof(fc.nat(300), fc.nat(12_000)) }),
  fc.record({
    do: fc.constant('ask' as const),
    times: fc.integer({ min: 1, max: 12 }),
    asked: fc.constantFrom<Partial<LookupRequest>>(
      {},
      { intent: 'move' },
      { intent: 'resume' },
      { key: 'k' },
      { exclude: ['gw-0'] },
      { exclude: ['gw-1', 'gw-2'], key: 'q' },
    ),
  }),
);

class CappedFleet {
  readonly balancer: Balancer;
  readonly #last = new Map<string, Partial<LoadReport>>();
  #seq = 0;
  #nowMs = 0;
  /** What a full look found is remembered for a tenth of a second, so room that a report makes may be seen that much later. */
  #reportedAtMs = 0;

  constructor(seed: number) {
    this.balancer = aBalancer({ random: seeded(seed), defaultPool: FREE });
    for (let i = 0; i < GATEWAYS; i++) this.#report(`gw-${i}`, { connections: 0, maxConnections: 3 + i });
    this.balancer.tick(0);
  }

  do(step: Step): void {
    if (step.do === 'report') {
      const { connections, maxConnections } = step;
      this.#reportedAtMs = this.#nowMs;
      this.#report(`gw-${step.gateway}`, { connections, ...(maxConnections && { maxConnections }) });
    } else if (step.do === 'wait') this.#wait(step.ms);
    else for (let i = 0; i < step.times; i++) this.#ask({ alternates: 2, ...step.asked });
  }

  #report(gateway: string, said: Partial<LoadReport>): void {
    this.#last.set(gateway, said);
    const report = aReport(gateway, { seq: ++this.#seq, cpu: 0.1, ...said });
    this.balancer.report(lacking(report, 'acceptedTotal'), this.#nowMs);
  }

  #wait(ms: number): void {
    for (const untilMs = this.#nowMs + ms; this.#nowMs < untilMs;) {
      this.#nowMs += 100;
      if (this.#nowMs % 500 === 0) for (const [gateway, said] of this.#last) this.#report(gateway, said);
      this.balancer.tick(this.#nowMs);
    }
  }

  #ask(asked: Partial<LookupRequest>): void {
    const before = this.balancer.snapshot(this.#nowMs).gateways;
    const verdict = this.balancer.lookup(aLookup(asked), this.#nowMs);
    const where = `at ${this.#nowMs}: ${JSON.stringify(verdict)} of ${JSON.stringify(before)}`;
    /** Room beside connections and a part of the tickets in flight. */
    const room = ({ maxConnections, connections, inFlightTickets }: (typeof before)[number], part: number) =>
      (maxConnections > 0 ? maxConnections : Infinity) - connections - part * inFlightTickets;
    if (!verdict.ok) {
      if (this.#nowMs === this.#reportedAtMs) return;
      const others = before.filter(({ gateway }) => !asked.exclude?.includes(gateway));
      if (others.some((row) => room(row, 1) >= 1)) throw new Error(`refused ${where}`);
      return;
    }
    for (const { gateway } of [verdict.best, ...verdict.alternates]) {
      if (
        room(
          before.find((row) => row.gateway === gateway)!,
          0,
        ) < 1
      )
        throw new Error(`full ${gateway} ${where}`);
    }
    const explained = this.balancer.explain(verdict.lookupId, this.#nowMs)!;
    const { gateway, pending } = explained.candidates.find(({ won }) => won)!;
    const { maxConnections, connections } = before.find((row) => row.gateway === gateway)!;
    if (maxConnections > 0 && connections + explained.factors.pending * pending > maxConnections - 1 + 1e-3)
      throw new Error(`filled ${gateway} by tickets ${where}`);
  }
}

it('whoever is named has room for one more beside the tickets on their way, and nobody is refused while one has', () => {
  fc.assert(
    fc.property(fc.nat(), fc.array(anyStep, { maxLength: 30 }), (seed, steps) => {
      const fleet = new CappedFleet(seed);
      for (const step of steps) fleet.do(step);
    }),
    { numRuns: 150 },
  );
});
