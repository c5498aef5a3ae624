// A table row for tests, complete and plain.

import type { TableRow } from '../../../src/protocol/table-row.ts';

export function row(gateway: string, more: Partial<TableRow> = {}): TableRow {
  return {
    gateway,
    url: `ws://10.0.0.1:7410/${gateway}`,
    pool: 'default',
    zone: '',
    labels: {},
    capacity: 1,
    bootId: 'boot',
    seq: 1,
    state: 'up',
    periodMs: 500,
    ageMs: 0,
    reportedScore: 0.5,
    correctedScore: 0.5,
    costPerConnection: 0.001,
    connections: 100,
    youngConnections: 0,
    maxConnections: 0,
    ...more,
  };
}
