// What `herald sim`, the benches and the tests use of the simulator.

export { renderChartSvg } from './chart-svg.ts';
export type { ChartOptions, ChartPanel } from './chart-svg.ts';
export { SIM_POLICIES } from './choosers.ts';
export type { SimPolicy } from './choosers.ts';
export type { LoadSeries } from './measures.ts';
export { decodeRecordedLine, replay } from './replay.ts';
export type { RecordedEvent, ReplayOptions, ReplayResult } from './replay.ts';
export { renderResultsTable } from './results-table.ts';
export { runSimulation } from './run-simulation.ts';
export type { SimulationOptions, SimulationResult } from './run-simulation.ts';
export { SCENARIOS } from './scenarios.ts';
export type { Scenario, ScenarioName } from './scenarios.ts';
