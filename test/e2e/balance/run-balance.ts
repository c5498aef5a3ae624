// One run: a fleet, a crowd, a time to settle, and then how unequal the gateways are, twice a second.

import { pause } from '../../launch/until.ts';
import { startCrowd } from './crowd.ts';
import { gatewayName, startFleet } from './fleet-processes.ts';

export type Scenario = 'mixed' | 'neighbour';

export interface RunPlan {
  policy: string;
  scenario: Scenario;
  /** Replicas, which clients choose from at random. */
  heralds: number;
  /** Without it a gateway that is too full keeps what it has; a baseline has nobody who moves connections. */
  mover: 'on' | 'off';
  fillMs: number;
  measureMs: number;
  /** When the noisy neighbour comes, as a share of `fillMs`. */
  neighbourAt: number;
  random?: () => number;
  /** Told now and then; 0..1. */
  onProgress?: (share: number) => void;
}

export interface GatewayFigures {
  gateway: string;
  capacity: number;
  meanLoad: number;
  connections: number;
}

export interface Figures {
  policy: string;
  scenario: Scenario;
  mover: 'on' | 'off';
  samples: number;
  /** Hottest gateway over the mean load of the fleet, weighted by capacity. */
  medianMaxOverMean: number;
  p99MaxOverMean: number;
  meanLoad: number;
  /** Share of samples in which some gateway was above 0.9 while the fleet was below 0.7. */
  hotShare: number;
  gateways: GatewayFigures[];
  clients: number;
  moved: number;
}

const SCENARIOS = {
  /** Sizes that a baseline knows nothing of, at 65 %. */
  mixed: { capacities: [0.5, 1, 1, 2, 0.5, 1], load: 0.65, neighbour: 0 },
  /** Equal sizes, one of which loses 40 % to somebody else. */
  neighbour: { capacities: [1, 1, 1, 1, 1, 1], load: 0.55, neighbour: 0.4 },
} as const;

const CLIENTS_PER_UNIT_AT_65 = 160;
const MOST_ARRIVE_MS = 15_000;
const SAMPLE_MS = 500;
const DISTURBED = gatewayName(2);

interface Sample {
  maxOverMean: number;
  mean: number;
  max: number;
}

export async function runBalance(plan: RunPlan): Promise<Figures> {
  const { capacities, load, neighbour } = SCENARIOS[plan.scenario];
  const random = plan.random ?? Math.random;
  const units = capacities.reduce((sum: number, capacity) => sum + capacity, 0);
  const size = Math.round((CLIENTS_PER_UNIT_AT_65 / 0.65) * load * units);
  const { policy, mover, heralds } = plan;
  const fleet = await startFleet({ policy, mover, capacities, heralds });
  try {
    const arriveMs = Math.min(MOST_ARRIVE_MS, plan.fillMs / 3);
    const crowd = await startCrowd(fleet, { size, arriveMs, random });
    try {
      const startMs = performance.now();
      const endMs = startMs + plan.fillMs + plan.measureMs;
      const samples: Sample[] = [];
      const sums = new Map<string, GatewayFigures & { samples: number }>();
      let disturbed = false;
      while (performance.now() < endMs) {
        await pause(SAMPLE_MS);
        const nowMs = performance.now();
        plan.onProgress?.((nowMs - startMs) / (endMs - startMs));
        if (!disturbed && neighbour > 0 && nowMs - startMs > plan.fillMs * plan.neighbourAt) {
          disturbed = true;
          fleet.setNeighbour(DISTURBED, neighbour);
        }
        if (nowMs - startMs < plan.fillMs) continue;
        // On a machine that is too busy to answer there is nothing to measure.
        const tables = await fleet.tables().catch(() => undefined);
        if (!tables) continue;
        let used = 0;
        let max = 0;
        for (const { gateway, capacity, reportedScore, connections } of tables[0]!.gateways) {
          used += reportedScore * capacity;
          max = Math.max(max, reportedScore);
          const sum = sums.get(gateway) ?? { gateway, capacity, meanLoad: 0, connections: 0, samples: 0 };
          sum.meanLoad += reportedScore;
          sum.connections += connections;
          sum.samples += 1;
          sums.set(gateway, sum);
        }
        const mean = used / units;
        samples.push({ maxOverMean: max / mean, mean, max });
      }
      const clients = crowd.live();
      const { moved } = crowd.counts();
      const ratios = samples.map(({ maxOverMean }) => maxOverMean).sort((a, b) => a - b);
      return {
        policy: plan.policy,
        scenario: plan.scenario,
        mover: plan.mover,
        samples: samples.length,
        medianMaxOverMean: quantile(ratios, 0.5),
        p99MaxOverMean: quantile(ratios, 0.99),
        meanLoad: samples.reduce((sum, { mean }) => sum + mean, 0) / samples.length,
        hotShare: samples.filter(({ max, mean }) => max > 0.9 && mean < 0.7).length / samples.length,
        gateways: [...sums.values()]
          .map((sum) => ({
            gateway: sum.gateway,
            capacity: sum.capacity,
            meanLoad: sum.meanLoad / sum.samples,
            connections: sum.connections / sum.samples,
          }))
          .sort((a, b) => a.gateway.localeCompare(b.gateway)),
        clients,
        moved,
      };
    } finally {
      await crowd.stop();
    }
  } finally {
    await fleet.stop();
  }
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
