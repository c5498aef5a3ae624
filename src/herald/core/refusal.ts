// (5) The answer of a lookup that found nobody: which filter removed whom, in numbers and in words. Costs a
// scan, so its count is kept per pool for 100 ms: refusals come in crowds.

import type { LookupRequest } from '../../protocol/lookup.ts';
import type { FilterName, LookupVerdict, Removal } from './balancer-types.ts';
import { hasLabels } from './candidate-view.ts';
import type { GatewayRecord } from './gateway-slots.ts';
import { BAR, CONNECTIONS, FULL_AT, STRIDE } from './gateway-slots.ts';
import type { LoadTable } from './load-table.ts';
import type { Pool } from './pool.ts';

type RefusalCode = (LookupVerdict & { ok: false })['code'];
/** Names shown per filter; the rest is a number. */
const NAMES_SHOWN = 3;
const KEEP_MS = 100;

export function refusalOf(
  table: LoadTable,
  pool: Pool | undefined,
  request: LookupRequest,
  lookupId: string,
  code: RefusalCode,
  afterMs: number,
  nowMs: number,
): LookupVerdict {
  const { refused, why } = removedBy(table, pool, request, code, nowMs);
  const detail = `${HEADLINES[code](request)}${why}`;
  return { ok: false, lookupId, code, detail, refused, retryAfterMs: Math.max(1, Math.round(afterMs)) };
}

function removedBy(
  table: LoadTable,
  pool: Pool | undefined,
  request: LookupRequest,
  code: RefusalCode,
  nowMs: number,
): Removal {
  if (code === 'rate-limited' || code === 'starting') return { refused: {}, why: '' };
  const plain =
    pool !== undefined && request.exclude.length === 0 && Object.keys(request.labels).length === 0;
  const kept = plain ? pool.lastRemoval : undefined;
  if (kept && nowMs >= kept.atMs && nowMs - kept.atMs < KEEP_MS) return kept.removal;
  const removal = countRemoved(table, pool, request, code, nowMs);
  if (plain) pool.lastRemoval = { atMs: nowMs, removal };
  return removal;
}

function countRemoved(
  table: LoadTable,
  pool: Pool | undefined,
  request: LookupRequest,
  code: RefusalCode,
  nowMs: number,
): Removal {
  const refused: Partial<Record<FilterName, number>> = {};
  const names = new Map<FilterName, string[]>();
  const remove = (filter: FilterName, gateway: string): void => {
    refused[filter] = (refused[filter] ?? 0) + 1;
    const named = names.get(filter) ?? [];
    if (named.length < NAMES_SHOWN) named.push(gateway);
    names.set(filter, named);
  };
  if (code === 'no-gateways') {
    // A wrong pool name is a matter of two numbers, not of a scan for every client that has it.
    if (table.slots.size > 0) refused.pool = table.slots.size;
  } else if (pool) {
    for (const slot of pool.members) {
      const record = table.slots.records[slot]!;
      remove(filterThatRemoves(table, record, request, nowMs), record.gateway);
    }
  }
  const removed = [...names].map(([filter, shown]) => {
    const more = refused[filter]! - shown.length;
    return `${filter} ${refused[filter]!} (${shown.join(', ')}${more > 0 ? `, ${more} more` : ''})`;
  });
  return { refused, why: removed.length > 0 ? `; removed by ${removed.join('; ')}` : '' };
}

const HEADLINES: Record<RefusalCode, (request: LookupRequest) => string> = {
  'no-gateways': (request) => `pool ${request.pool} has no gateway`,
  'none-eligible': (request) => `pool ${request.pool} has no gateway for this lookup`,
  overloaded: (request) => `every gateway of pool ${request.pool} is above the admission limit`,
  'rate-limited': (request) => `pool ${request.pool} is at its rate limit of lookups`,
  starting: () => 'this Herald was paused and waits for fresh reports',
};

function filterThatRemoves(
  table: LoadTable,
  record: GatewayRecord,
  request: LookupRequest,
  nowMs: number,
): FilterName {
  const hot = table.slots.hot;
  const at = record.slot * STRIDE;
  if (!hasLabels(record.labels, request.labels)) return 'label';
  if (request.exclude.includes(record.gateway)) return 'excluded';
  const state = table.state(record, nowMs);
  if (state === 'maint') return 'maint';
  if (state === 'drain' || state === 'draining') return 'draining';
  if (!table.massLoss.forgives(record)) {
    if (state === 'suspect') return 'suspect';
    if (state === 'stale') return 'stale';
  }
  const coming = table.poolOf(record).factors.pending * table.tickets.coming(record.slot);
  if (hot[at + CONNECTIONS]! + coming > hot[at + FULL_AT]! - 1) return 'full';
  return hot[at + BAR]! > 0 ? 'breaker' : 'overloaded';
}
