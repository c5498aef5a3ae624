// What a row of the fault table is: code that makes its faults on the field and says what it found.

import type { Field } from './field.ts';
import type { Finding } from './finding.ts';

/** How long and how often: as written in full, shortened in CI where time or count is the only cost. */
export interface Effort {
  full: boolean;
  lasts(fullMs: number, shortMs: number): number;
  times(full: number, short: number): number;
}

export interface Row {
  title: string;
  run(field: Field, effort: Effort): Promise<Finding[]>;
}

export function effortOf(full: boolean): Effort {
  return {
    full,
    lasts: (fullMs, shortMs) => (full ? fullMs : shortMs),
    times: (many, few) => (full ? many : few),
  };
}
