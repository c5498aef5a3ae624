// "herald/reporter": makes any WebSocket server a gateway that Herald can balance. See examples/.

export type { CgroupLimits } from './core/cgroup.ts';
export type { LinkSnapshot, LinkState } from './herald-link.ts';
export type {
  Reporter,
  ReporterCounters,
  ReporterOptions,
  ReporterSnapshot,
  SignalOverrides,
} from './reporter-options.ts';
export { startReporter } from './start-reporter.ts';
