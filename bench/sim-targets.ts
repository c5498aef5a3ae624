// Holds the policy and the simulator to the targets of docs/policy.md: every row for `expected`, and every
// baseline too, so that a broken simulator cannot pass. Both cores; half a minute on two of them.
//   node scripts/run-ts.mjs bench/sim-targets.ts [--seeds 1,2,3] [--json] [--early-full]
// With --early-full gateways also report in full when their load has changed; the targets are for those that do not.

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { SimulationOptions, SimulationResult } from '../src/sim/index.ts';
import { runSimulation } from '../src/sim/index.ts';

type Figures = Omit<SimulationResult, 'series'>;
type Job = Omit<SimulationOptions, 'progress'>;

interface Target {
  row: string;
  job: Omit<Job, 'seed'>;
  figure: (result: Figures) => number;
  atMost?: number;
  atLeast?: number;
  /** Judged by the mean of this many runs, where single ones differ by as much as there is to spare. */
  meanOf?: number;
}

const p99 = (result: Figures): number => result.p99MaxMean;
const settle = (result: Figures): number => result.settleSec ?? Infinity;

const TARGETS: Target[] = [
  { row: 'steady', job: { scenario: 'steady', policy: 'expected' }, figure: p99, atMost: 1.04 },
  { row: 'steady', job: { scenario: 'steady', policy: 'least' }, figure: p99, atLeast: 1.25, meanOf: 8 },
  { row: 'caps4', job: { scenario: 'caps4', policy: 'expected' }, figure: p99, atMost: 1.08 },
  { row: 'caps4', job: { scenario: 'caps4', policy: 'round-robin' }, figure: p99, atLeast: 2.2 },
  { row: 'flash', job: { scenario: 'flash', policy: 'expected' }, figure: p99, atMost: 1.06 },
  { row: 'flash', job: { scenario: 'flash', policy: 'least' }, figure: p99, atLeast: 2.3 },
  { row: 'death', job: { scenario: 'death', policy: 'expected' }, figure: p99, atMost: 1.04 },
  { row: 'death', job: { scenario: 'death', policy: 'least' }, figure: p99, atLeast: 1.25 },
  { row: 'rolling', job: { scenario: 'rolling', policy: 'expected' }, figure: p99, atMost: 1.12 },
  { row: 'rolling', job: { scenario: 'rolling', policy: 'round-robin' }, figure: p99, atLeast: 1.65 },
  { row: 'rolling', job: { scenario: 'rolling', policy: 'leastconn' }, figure: p99, atLeast: 1.28 },
  { row: 'liar', job: { scenario: 'liar', policy: 'expected' }, figure: p99, atMost: 1.08 },
  { row: 'liar', job: { scenario: 'liar', policy: 'least' }, figure: p99, atLeast: 10 },
  {
    row: 'neighbour, time hot',
    job: { scenario: 'neighbour', policy: 'expected' },
    figure: (result) => result.hotShare,
    atMost: 0.1,
  },
  {
    row: 'neighbour, time hot',
    job: { scenario: 'neighbour', policy: 'round-robin' },
    figure: (result) => result.hotShare,
    atLeast: 0.8,
  },
  { row: 'scale-out, s', job: { scenario: 'scaleout', policy: 'expected' }, figure: settle, atMost: 200 },
  {
    row: 'scale-out, moved',
    job: { scenario: 'scaleout', policy: 'expected' },
    figure: (result) => result.movedShare,
    atMost: 0.015,
  },
  {
    row: 'scale-out, s, no moves',
    job: { scenario: 'scaleout', policy: 'expected', moves: false },
    figure: settle,
    atLeast: 900,
  },
  {
    row: 'overload, hottest',
    job: { scenario: 'overload', policy: 'expected' },
    figure: (result) => result.hottest,
    atMost: 0.91,
  },
  {
    row: 'overload, gateway-s',
    job: { scenario: 'overload', policy: 'expected' },
    figure: (result) => result.overloadSec,
    atMost: 0,
  },
  {
    row: 'overload, gateway-s',
    job: { scenario: 'overload', policy: 'round-robin' },
    figure: (result) => result.overloadSec,
    atLeast: 450,
  },
];

/** Heralds and how clients spread over them; all must place alike. */
const REPLICAS: Omit<Job, 'seed'>[] = [
  { scenario: 'death', policy: 'expected', replicas: 1 },
  { scenario: 'death', policy: 'expected', replicas: 3 },
  { scenario: 'death', policy: 'expected', replicas: 8 },
  { scenario: 'death', policy: 'expected', replicas: 3, replicaShares: [0.8, 0.15, 0.05] },
];
const REPLICAS_DIFFER_AT_MOST = 0.01;

export interface Checked {
  row: string;
  policy: string;
  target: string;
  values: number[];
  holds: boolean;
}

const habits = process.argv.includes('--early-full') ? { earlyFull: true } : {};

if (process.send) serveJobs();
else await main();

async function main(): Promise<void> {
  const seedsAt = process.argv.indexOf('--seeds');
  const seeds = (seedsAt < 0 ? '1,2,3' : process.argv[seedsAt + 1]!).split(',').map(Number);
  const startedMs = performance.now();
  const results = await runAll(
    [...TARGETS, ...REPLICAS.map((job) => ({ job, meanOf: undefined }))].flatMap(({ job, meanOf }) =>
      seedsOf(seeds, meanOf).map((seed) => ({ ...job, seed, ...habits })),
    ),
  );
  const rows = [
    ...TARGETS.map((target) => checkTarget(target, seeds, results)),
    checkReplicas(seeds, results),
  ];
  if (process.argv.includes('--json')) console.log(JSON.stringify(rows));
  else {
    for (const row of rows) {
      const values = row.values.map((value) => value.toFixed(3)).join(' ');
      console.log(
        `${row.holds ? 'holds ' : 'MISSED'} ${row.row.padEnd(24)} ${row.policy.padEnd(12)} ${row.target.padEnd(12)} ${values}`,
      );
    }
    console.log(`${results.size} runs in ${((performance.now() - startedMs) / 1_000).toFixed(0)} s`);
  }
  if (rows.some((row) => !row.holds)) process.exitCode = 1;
}

/** The seeds asked for, or as many from the first of them on as a mean is taken of. */
function seedsOf(seeds: number[], meanOf: number | undefined): number[] {
  return meanOf === undefined ? seeds : Array.from({ length: meanOf }, (_, i) => seeds[0]! + i);
}

function checkTarget(target: Target, seeds: number[], results: Map<string, Figures>): Checked {
  const { atMost = Infinity, atLeast = -Infinity, meanOf } = target;
  const runs = seedsOf(seeds, meanOf).map((seed) =>
    target.figure(results.get(JSON.stringify({ ...target.job, seed, ...habits }))!),
  );
  const values = meanOf === undefined ? runs : [runs.reduce((sum, value) => sum + value, 0) / meanOf];
  return {
    row: meanOf === undefined ? target.row : `${target.row}, mean of ${meanOf}`,
    policy: target.job.policy,
    target: target.atMost !== undefined ? `<= ${target.atMost}` : `>= ${atLeast}`,
    values,
    holds: values.every((value) => value <= atMost && value >= atLeast),
  };
}

/** Mean over the seeds of each arrangement: they meet different chance, so single runs differ by that. */
function checkReplicas(seeds: number[], results: Map<string, Figures>): Checked {
  const values = REPLICAS.map((job) => {
    const runs = seeds.map((seed) => results.get(JSON.stringify({ ...job, seed, ...habits }))!.p99MaxMean);
    return runs.reduce((sum, value) => sum + value, 0) / runs.length;
  });
  return {
    row: '1, 3, 8, uneven Heralds',
    policy: 'expected',
    target: `within ${REPLICAS_DIFFER_AT_MOST}`,
    values,
    holds: Math.max(...values) - Math.min(...values) <= REPLICAS_DIFFER_AT_MOST,
  };
}

/** Two worker processes take the jobs from one list, the longest kinds first. */
async function runAll(jobs: Job[]): Promise<Map<string, Figures>> {
  const waiting = [...new Set(jobs.map((job) => JSON.stringify(job)))].sort();
  const results = new Map<string, Figures>();
  const worker = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const child = fork(fileURLToPath(import.meta.url));
      const next = (): void => {
        const job = waiting.pop();
        if (job === undefined) child.disconnect();
        else child.send(job);
      };
      child.on('message', ({ job, figures }: { job: string; figures: Figures }) => {
        // JSON has no Infinity: "never settled" crosses as null.
        const settleSec = figures.settleSec ?? Infinity;
        results.set(job, { ...figures, settleSec });
        if (process.stderr.isTTY) process.stderr.write(`\r${waiting.length} runs left `);
        next();
      });
      child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`a worker ended with ${code}`))));
      next();
    });
  await Promise.all([worker(), worker()]);
  return results;
}

function serveJobs(): void {
  process.on('message', (job: string) => {
    const figures = { ...runSimulation(JSON.parse(job) as Job), series: undefined };
    process.send!({ job, figures });
  });
}
