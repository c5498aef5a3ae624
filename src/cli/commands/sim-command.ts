// `herald sim`: the production core on a virtual clock. Which policy keeps a fleet even, and through what.

import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { flagName } from '../../daemon/config.ts';
import { StartError } from '../../daemon/lifecycle.ts';
import { didYouMean } from '../../protocol/nearest.ts';
import { messageOf } from '../../daemon/thrown.ts';
import {
  renderChartSvg,
  renderResultsTable,
  runSimulation,
  SCENARIOS,
  SIM_POLICIES,
} from '../../sim/index.ts';
import type { ScenarioName, SimPolicy, SimulationOptions, SimulationResult } from '../../sim/index.ts';
import { wholeNumber } from '../flags/given.ts';
import type { Output } from '../text/output.ts';
import { outputFlag } from '../text/output.ts';
import { replayFile } from './sim-replay.ts';

interface SimFlags {
  policy?: string[];
  scenario?: string[];
  seed: string;
  gateways: string;
  clients: string;
  replicas: string;
  reportMs: string;
  chart?: string;
  replay?: string;
  output: Output;
}

const DEFAULT_POLICIES: SimPolicy[] = ['expected', 'p2c', 'least', 'round-robin'];

export function addSimCommand(program: Command): void {
  program
    .command('sim')
    .description('compare policies on storms, with the production core on a virtual clock')
    .option(
      '--policy <name...>',
      `one or more of ${SIM_POLICIES.join(', ')}; default ${DEFAULT_POLICIES.join(', ')}`,
    )
    .option('--scenario <name...>', `one or more of ${Object.keys(SCENARIOS).join(', ')}; default all`)
    .option('--seed <number>', 'same seed, same result', '1')
    .option('--gateways <number>', 'gateways at the start', '20')
    .option('--clients <number>', 'connections a gateway at the start', '3250')
    .option('--replicas <number>', 'Heralds that decide', '3')
    .option('--report-ms <number>', 'report period', '2000')
    .option('--chart <file.svg>', 'write the load of every gateway over time, a panel a run')
    .option('--replay <file>', 'ask the policies about a recording of real reports and lookups instead')
    .addOption(outputFlag())
    .action(sim);
}

/** What a recording has brought with it, or does not tell. */
const NOT_OF_REPLAYS = ['scenario', 'gateways', 'clients', 'replicas', 'reportMs', 'chart'];

async function sim(flags: SimFlags, command: Command): Promise<void> {
  const policies =
    flags.policy === undefined ? DEFAULT_POLICIES : chosen('--policy', flags.policy, SIM_POLICIES);
  const seed = wholeNumber('--seed', flags.seed, 0, 2 ** 31);
  if (flags.replay !== undefined) {
    const unheeded = NOT_OF_REPLAYS.filter((name) => command.getOptionValueSource(name) === 'cli');
    if (unheeded.length > 0) {
      throw new StartError(`--replay goes by its recording: leave out ${unheeded.map(flagName).join(', ')}`);
    }
    return replayFile(flags.replay, policies, seed, flags.output);
  }
  const names = Object.keys(SCENARIOS) as ScenarioName[];
  const scenarios = flags.scenario === undefined ? names : chosen('--scenario', flags.scenario, names);
  const shared = {
    seed,
    gateways: wholeNumber('--gateways', flags.gateways, 2, 1_000),
    clientsPerGateway: wholeNumber('--clients', flags.clients, 10, 100_000),
    replicas: wholeNumber('--replicas', flags.replicas, 1, 64),
    reportMs: wholeNumber('--report-ms', flags.reportMs, 50, 60_000),
  };
  const runs = scenarios.flatMap((scenario) => policies.map((policy) => ({ ...shared, policy, scenario })));
  const results = runs.map((run, index) => runWithProgress(run, index, runs.length));

  if (flags.output === 'table') process.stdout.write(renderResultsTable(results));
  else if (flags.output === 'json') console.log(JSON.stringify(results.map(figures), null, 2));
  else for (const result of results) console.log(JSON.stringify(figures(result)));
  // After the figures: a chart that cannot be written must not cost them.
  if (flags.chart !== undefined) await writeChart(flags.chart, results);
}

/** Names apart by spaces or commas. */
function chosen<T extends string>(flag: string, given: readonly string[], names: readonly T[]): T[] {
  return given.flatMap((part) => part.split(',')).map((name) => known(flag, name, names));
}

function known<T extends string>(flag: string, name: string, names: readonly T[]): T {
  const found = names.find((one) => one === name);
  if (found !== undefined) return found;
  throw new StartError(`${flag} ${name}: expected one of ${names.join(', ')}${didYouMean(name, names)}`);
}

/** A result without the series, which JSON leaves out when it is undefined. */
function figures(result: SimulationResult): object {
  return { ...result, series: undefined };
}

function runWithProgress(run: SimulationOptions, index: number, count: number): SimulationResult {
  if (!process.stderr.isTTY) return runSimulation(run);
  const width = 24;
  const draw = (share: number): void => {
    const filled = Math.round(width * ((index + share) / count));
    const bar = '█'.repeat(filled) + '░'.repeat(width - filled);
    process.stderr.write(`\r${bar} ${index + 1}/${count} ${run.scenario} ${run.policy}\u001b[K`);
  };
  draw(0);
  const result = runSimulation({ ...run, progress: draw });
  if (index + 1 === count) process.stderr.write('\r\u001b[K');
  return result;
}

async function writeChart(path: string, results: SimulationResult[]): Promise<void> {
  const panels = results.map(({ policy, scenario, p99MaxMean, series }) => ({
    title: `${scenario}, ${policy}: p99 of max/mean ${p99MaxMean.toFixed(2)}`,
    series,
  }));
  try {
    await writeFile(path, renderChartSvg(panels, { title: 'Load of every gateway over time' }));
  } catch (error) {
    throw new StartError(`--chart: ${messageOf(error)}`);
  }
  console.error(`wrote ${path}`);
}
