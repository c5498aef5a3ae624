// (3) The load table as others see it: rows for the store, a snapshot for ops.

import type { TableRow } from '../../protocol/table-row.ts';
import type { GatewaySnapshot, TableSnapshot } from './balancer-types.ts';
import { isBarred } from './breaker.ts';
import { unbarredLoad } from './expected-load.ts';
import type { GatewayRecord } from './gateway-slots.ts';
import { CONNECTIONS, COST, REPORTED, REPORTED_AT, STRIDE } from './gateway-slots.ts';
import type { LoadTable } from './load-table.ts';

export function rowOf(table: LoadTable, record: GatewayRecord, nowMs: number): TableRow {
  const hot = table.slots.hot;
  const at = record.slot * STRIDE;
  return {
    gateway: record.gateway,
    url: record.url,
    pool: record.pool,
    zone: record.zone,
    labels: record.labels,
    capacity: record.capacity,
    bootId: record.bootId,
    seq: Math.max(0, record.seq),
    state: record.announced,
    periodMs: record.periodMs,
    ageMs: Math.max(0, nowMs - hot[at + REPORTED_AT]!),
    reportedScore: hot[at + REPORTED]!,
    correctedScore: record.correctedScore,
    costPerConnection: hot[at + COST]!,
    connections: hot[at + CONNECTIONS]!,
    youngConnections: record.youngConnections,
    maxConnections: record.maxConnections,
  };
}

export function gatewayOf(table: LoadTable, record: GatewayRecord, nowMs: number): GatewaySnapshot {
  const { breaker } = record;
  const { hot } = table.slots;
  const at = record.slot * STRIDE;
  const factors = table.poolOf(record).factors;
  // A spread row would become a dictionary, which takes twenty times as long to make and is slow to read.
  return Object.assign(rowOf(table, record, nowMs), {
    effectiveState: table.state(record, nowMs),
    hearsay: record.hearsay,
    desired: record.desired,
    expectedScore: unbarredLoad(hot, at, factors, nowMs),
    inFlightTickets: table.tickets.count(record.slot),
    breaker: breaker.state === 'trial' && isBarred(breaker) ? ('open' as const) : breaker.state,
    weightPercent: record.weightPercent,
    picks: record.picks,
  });
}

export function snapshotOf(table: LoadTable, nowMs: number): TableSnapshot {
  const gateways = Array.from(table.slots.all(), (record) => gatewayOf(table, record, nowMs));
  const ageMs = gateways.reduce((least, row) => Math.min(least, row.ageMs), Infinity);
  return {
    version: table.version,
    ageMs: Number.isFinite(ageMs) ? ageMs : 0,
    frozen: table.massLoss.anyFrozen,
    gateways,
  };
}
