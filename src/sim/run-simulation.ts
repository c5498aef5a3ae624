// The simulator's front: one scenario, one policy, one seed in; figures and the load of every gateway over
// time out. Deterministic: the same options give the same result to the last bit.

import type { LeftOut } from '../herald/core/balancer-options.ts';
import { seededRandom } from './chance.ts';
import type { Chooser, SimPolicy } from './choosers.ts';
import { heralds, leastConnections, oracle } from './choosers.ts';
import type { GatewayModel } from './gateway-model.ts';
import type { LoadSeries, LoadSummary } from './measures.ts';
import type { ScenarioName } from './scenarios.ts';
import { SCENARIOS } from './scenarios.ts';
import { World } from './world.ts';

export interface SimulationOptions {
  policy: SimPolicy;
  scenario: ScenarioName;
  seed: number;
  /** Default 20. */
  gateways?: number;
  /** Connections per gateway at the start; default 3,250. */
  clientsPerGateway?: number;
  /** Heralds; default 3. */
  replicas?: number;
  /** Share of the clients that ask each Herald; equal when absent. */
  replicaShares?: readonly number[];
  /** Report period; default 2,000. */
  reportMs?: number;
  /** Gateways also report in full at once when their load has changed by a tenth, as herald/reporter does; default false. */
  earlyFull?: boolean;
  /** Overrides whether the scenario lets Herald move connections. */
  moves?: boolean;
  /** Tests only: terms of the policy to leave out. */
  leftOut?: LeftOut;
  /** Hears 0..1 every ten simulated seconds. */
  progress?: (share: number) => void;
}

export interface SimulationResult extends LoadSummary {
  policy: SimPolicy;
  scenario: ScenarioName;
  seed: number;
  gateways: number;
  replicas: number;
  reportMs: number;
  moves: number;
  /** Moves over the connections at the start. */
  movedShare: number;
  lookups: number;
  refused: number;
  /** Mean time from a client's first lookup to its connection. */
  meanWaitSec: number;
  simulatedSec: number;
  series: LoadSeries;
}

/** Policies that place by what a connection costs start from a fleet that is even in load. */
const BY_COUNT: readonly SimPolicy[] = ['round-robin', 'random', 'leastconn'];

export function runSimulation(options: SimulationOptions): SimulationResult {
  const { policy, seed } = options;
  const scenario = SCENARIOS[options.scenario];
  const gateways = options.gateways ?? 20;
  const replicas = options.replicas ?? 3;
  const reportMs = options.reportMs ?? 2_000;
  const clientsPerGateway = options.clientsPerGateway ?? 3_250;
  // Placing draws from its own stream, so that every policy meets the same clients for as long as it can.
  const placing = seededRandom(seed * 2 + 1);
  const moves = (options.moves ?? scenario.moves) && policy === 'expected';

  const chooserFor = (fleet: readonly GatewayModel[]): Chooser => {
    if (policy === 'leastconn') return leastConnections(fleet, placing);
    if (policy === 'oracle') return oracle(fleet);
    const { replicaShares, leftOut } = options;
    const shares = replicaShares && { replicaShares };
    const { handshakeSeconds } = scenario;
    const told = { policy, replicas, moves, handshakeSeconds, ...shares, ...(leftOut && { leftOut }) };
    return heralds(told, fleet, placing);
  };
  const world = new World(
    {
      scenario,
      gateways,
      clientsPerGateway,
      reportMs,
      earlyFull: options.earlyFull ?? false,
      startEven: BY_COUNT.includes(policy) ? 'connections' : 'load',
      random: seededRandom(seed * 2),
    },
    chooserFor,
  );
  world.run(options.progress);
  const { lives } = world;
  return {
    policy,
    scenario: options.scenario,
    seed,
    gateways,
    replicas,
    reportMs,
    ...world.measures.summary(),
    moves: lives.moved,
    movedShare: lives.moved / (gateways * clientsPerGateway),
    lookups: lives.lookups,
    refused: lives.refused,
    meanWaitSec: lives.admitted > 0 ? lives.waitedMs / lives.admitted / 1_000 : 0,
    simulatedSec: world.endMs / 1_000,
    series: world.measures.series(),
  };
}
