// (5) The answer of a lookup that found nobody: which filter removed whom, in numbers and in words. Costs a look at all
// that might have been named, so its count is kept for 100 ms: refusals come in crowds.

import type { LookupRequest } from '../../protocol/lookup.ts';
import type { AskedLookup } from './asked-lookup.ts';
import type { FilterName, LookupVerdict, Removal } from './balancer-types.ts';
import { hasLabels } from './candidate-view.ts';
import type { GatewayRecord } from './gateway-slots.ts';
import { BAR, CONNECTIONS, FULL_AT, STRIDE } from './gateway-slots.ts';
import type { LoadTable } from './load-table.ts';
import { PAUSED } from './sleep-guard.ts';

type RefusalCode = (LookupVerdict & { ok: false })['code'];
/** Names shown per filter; the rest is a number. */
const NAMES_SHOWN = 3;
const KEEP_MS = 100;

export interface RefusedLookup {
  lookupId: string;
  request: LookupRequest;
  code: RefusalCode;
  afterMs: number;
}

/** What it asked, of a pool that has gateways. */
type Asked = Omit<AskedLookup, 'number'>;

export function refusalOf(table: LoadTable, refused: RefusedLookup, nowMs: number): LookupVerdict {
  const { lookupId, request, code, afterMs } = refused;
  const ends = { ok: false as const, lookupId, code, retryAfterMs: Math.max(1, Math.round(afterMs)) };
  const headline = HEADLINES[code](request);
  if (code === 'rate-limited' || code === 'starting') return { ...ends, detail: headline, refused: {} };
  const pool = table.pools.get(request.pool);
  if (pool === undefined || code === 'no-gateways') {
    // A wrong pool name is a matter of two numbers, not of a scan for every client that has it.
    const others = table.slots.size;
    return { ...ends, detail: headline, refused: others > 0 ? { pool: others } : {} };
  }
  const removal = removedBy(table, { request, pool, nowMs });
  if (!removal) return { ...ends, detail: headline, refused: {} };
  const counts = Object.fromEntries(Array.from(removal, ([filter, { count }]) => [filter, count]));
  return { ...ends, detail: headline + inWords(removal), refused: counts };
}

/** Undefined where there are too many to count them for each of many kinds of lookup. */
function removedBy(table: LoadTable, asked: Asked): Removal | undefined {
  const { request, pool, nowMs } = asked;
  const view = pool.views.of(request.labels, nowMs);
  const kept = view.lastRemoval;
  let removal = kept?.removal;
  if (!kept || !(nowMs >= kept.atMs && nowMs - kept.atMs < KEEP_MS)) {
    removal = countRemoved(table, asked);
    if (removal) view.lastRemoval = { atMs: nowMs, removal };
  }
  if (!removal || request.exclude.length === 0) return removal;
  return withExcluded(removal, table, asked);
}

/** Which filter removes how many members of the pool, were it not for what this client alone excludes. */
function countRemoved(table: LoadTable, { request, pool, nowMs }: Asked): Removal | undefined {
  const { labels } = request;
  const having = pool.views.having(labels);
  if (having !== pool.members && !pool.views.mayCount(having.size, nowMs)) return undefined;
  const removal: Removal = new Map();
  for (const slot of having) {
    const record = table.slots.records[slot]!;
    remove(removal, filterThatRemoves(table, record, labels, nowMs), record.gateway);
  }
  // The others lack a label, and some of them are named for all.
  let lacking = pool.members.size - having.size;
  for (const slot of pool.members) {
    if (lacking === 0 || removal.get('label')?.names.length === NAMES_SHOWN) break;
    if (having.has(slot)) continue;
    remove(removal, 'label', table.slots.records[slot]!.gateway);
    lacking--;
  }
  if (lacking > 0) removal.get('label')!.count += lacking;
  return removal;
}

/** The same as the client sees it that excludes some gateways by name. */
function withExcluded(counted: Removal, table: LoadTable, { request, pool, nowMs }: Asked): Removal {
  const { exclude, labels } = request;
  const removal: Removal = new Map(counted);
  for (const gateway of new Set(exclude)) {
    const record = table.slots.get(gateway);
    if (record?.pool !== pool.name) continue;
    const filter = filterThatRemoves(table, record, labels, nowMs);
    if (filter === 'label') continue;
    // It may have changed since it was counted, so it may not be among these.
    const { count, names } = removal.get(filter) ?? { count: 0, names: [] };
    if (count > 1) removal.set(filter, { count: count - 1, names: names.filter((name) => name !== gateway) });
    else removal.delete(filter);
    remove(removal, 'excluded', gateway);
  }
  return removal;
}

function remove(removal: Removal, filter: FilterName, gateway: string): void {
  const removed = removal.get(filter) ?? { count: 0, names: [] };
  removal.set(filter, removed);
  removed.count++;
  if (removed.names.length < NAMES_SHOWN) removed.names.push(gateway);
}

function inWords(removal: Removal): string {
  const removed = [...removal].map(([filter, { count, names }]) => {
    const more = count - names.length;
    return `${filter} ${count} (${names.join(', ')}${more > 0 ? `, ${more} more` : ''})`;
  });
  return removed.length > 0 ? `; removed by ${removed.join('; ')}` : '';
}

const HEADLINES: Record<RefusalCode, (request: LookupRequest) => string> = {
  'no-gateways': (request) => `pool ${request.pool} has no gateway`,
  'none-eligible': (request) => `pool ${request.pool} has no gateway for this lookup`,
  overloaded: (request) => `every gateway of pool ${request.pool} is above the admission limit`,
  'rate-limited': (request) => `pool ${request.pool} is at its rate limit of lookups`,
  starting: () => PAUSED,
};

function filterThatRemoves(
  table: LoadTable,
  record: GatewayRecord,
  labels: Record<string, string>,
  nowMs: number,
): FilterName {
  const hot = table.slots.hot;
  const at = record.slot * STRIDE;
  if (!hasLabels(record.labels, labels)) return 'label';
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
