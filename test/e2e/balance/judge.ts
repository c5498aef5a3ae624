// The targets of docs/policy.md, end to end: each for itself, and the baseline's too, so that a broken rig
// cannot pass.

import type { Figures } from './run-balance.ts';

/** What is missed, in words; empty = all held. Only the pairs that were run are judged. */
export function judge(figures: readonly Figures[]): string[] {
  const missed: string[] = [];
  const find = (scenario: string, policy: string): number | undefined =>
    figures.find((run) => run.scenario === scenario && run.policy === policy)?.medianMaxOverMean;
  const check = (what: string, value: number | undefined, holds: (value: number) => boolean): void => {
    if (value !== undefined && !holds(value)) missed.push(`${what}, got ${value.toFixed(2)}`);
  };

  const ours = find('mixed', 'expected');
  const theirs = find('mixed', 'round-robin');
  check('mixed: expected <= 1.35', ours, (value) => value <= 1.35);
  check('mixed: round-robin >= 1.7', theirs, (value) => value >= 1.7);
  if (ours !== undefined && theirs !== undefined) {
    check('mixed: round-robin / expected >= 1.4', theirs / ours, (value) => value >= 1.4);
  }
  check('neighbour: expected <= 1.25', find('neighbour', 'expected'), (value) => value <= 1.25);
  check('neighbour: round-robin >= 1.3', find('neighbour', 'round-robin'), (value) => value >= 1.3);
  return missed;
}
