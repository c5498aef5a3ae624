// (2) The front of the core: one Herald's state and judgement behind the `Balancer` interface. Everything below
// is synchronous and pure but for the state it owns; time and chance come in as arguments.

import type { BalancerOptions } from './balancer-options.ts';
import { settingsOf } from './balancer-options.ts';
import { agentAnswerOf, moveWeights } from './agent-weight.ts';
import { Autoscale } from './autoscale.ts';
import type { Balancer, MoverMode } from './balancer-types.ts';
import { ExplainRing } from './explain-ring.ts';
import { LoadTable } from './load-table.ts';
import { Lookups } from './lookups.ts';
import { Mover } from './mover.ts';
import type { Pool } from './pool.ts';
import { gatewayOf, rowOf, snapshotOf } from './table-views.ts';

const WEIGHT_ROUND_MS = 500;
/** Until then an unknown gateway may just not have reported to this Herald yet. */
const SETTLING_MS = 3_000;

/** What goes on in a pool besides lookups. */
interface PoolRounds {
  mover: Mover;
  autoscale: Autoscale;
}

export function createBalancer(options: BalancerOptions): Balancer {
  const settings = settingsOf(options);
  const table = new LoadTable(settings);
  const ring = new ExplainRing(settings.explainLookups, table.slots);
  const bootMark = Math.floor(settings.random() * 36 ** 4).toString(36);
  const idPrefix = `${settings.heraldId}.${bootMark}.`;
  const lookups = new Lookups(table, ring, idPrefix);
  const rounds = new Map<string, PoolRounds>();
  let leaseHeld = false;
  /** Said by an operator; else as configured. */
  let moverMode: MoverMode | undefined;
  /** The same for one pool, which may be forgotten in between. */
  const moverModeOf = new Map<string, MoverMode>();
  let weightedAtMs = -Infinity;
  let startedAtMs: number | undefined;

  function roundsOf(pool: Pool): PoolRounds {
    let found = rounds.get(pool.name);
    if (!found) {
      found = { mover: new Mover(pool, table.slots, bootMark), autoscale: new Autoscale(pool, table.slots) };
      found.mover.mode = moverModeOf.get(pool.name) ?? moverMode ?? found.mover.mode;
      rounds.set(pool.name, found);
    }
    return found;
  }

  return {
    report(report, nowMs) {
      startedAtMs ??= nowMs;
      const verdict = table.report(report, nowMs);
      if (!verdict.taken || verdict.directive || !leaseHeld) return verdict;
      const shed = rounds.get(report.pool)?.mover.take(report.gateway, nowMs);
      return shed ? { ...verdict, directive: { shed } } : verdict;
    },
    lookup: (request, nowMs) => lookups.lookup(request, nowMs),
    suspect: (gateway, nowMs) => table.suspect(gateway, nowMs),
    leave: (gateway, nowMs) => table.leave(gateway, nowMs),
    setDesired: (gateway, desired, nowMs) => table.setDesired(gateway, desired, nowMs),
    mergeRows(rows, nowMs) {
      startedAtMs ??= nowMs;
      table.mergeRows(rows, nowMs);
    },
    tick(nowMs) {
      startedAtMs ??= nowMs;
      table.tick(nowMs);
      for (const name of rounds.keys()) if (!table.pools.has(name)) rounds.delete(name);
      const weigh = nowMs - weightedAtMs >= WEIGHT_ROUND_MS || nowMs < weightedAtMs;
      if (weigh) weightedAtMs = nowMs;
      for (const pool of table.pools.values()) {
        if (weigh) moveWeights(pool, table.slots, nowMs);
        if (table.massLoss.isFrozen(pool.name) || table.sleep.holds(nowMs)) continue;
        const { mover, autoscale } = roundsOf(pool);
        if (leaseHeld) mover.tick(nowMs);
        autoscale.tick(nowMs);
      }
    },
    setMoverLease(held) {
      leaseHeld = held;
      if (!held) for (const { mover } of rounds.values()) mover.stop();
    },
    setMoverMode(mode, pool) {
      if (pool === undefined) {
        moverMode = mode;
        moverModeOf.clear();
      } else if (table.pools.has(pool)) moverModeOf.set(pool, mode);
      for (const known of table.pools.values()) {
        if (pool !== undefined && known.name !== pool) continue;
        const { mover } = roundsOf(known);
        if (mode !== 'on') mover.stop();
        mover.mode = mode;
      }
    },
    moverModes: () => ({
      leaseHeld,
      modes: Object.fromEntries(
        [...table.pools.values()].map((pool) => [pool.name, roundsOf(pool).mover.mode]),
      ),
    }),
    moverOrders: () =>
      [...rounds.values()].flatMap(({ mover }) => mover.orders).sort((a, b) => a.atMs - b.atMs),
    newest(gateway) {
      const record = table.slots.get(gateway);
      return record && { gateway: record.gateway, bootId: record.bootId, seq: Math.max(0, record.seq) };
    },
    rows: (nowMs) => Array.from(table.slots.all(), (record) => rowOf(table, record, nowMs)),
    snapshot: (nowMs) => snapshotOf(table, nowMs),
    gateway(id, nowMs) {
      const record = table.slots.get(id);
      return record && gatewayOf(table, record, nowMs);
    },
    size: () => table.slots.size,
    isFrozen: () => table.massLoss.anyFrozen,
    isWaking(nowMs) {
      table.sleep.notice(nowMs);
      return table.sleep.wokeUp();
    },
    explain(lookupId, nowMs) {
      if (!lookupId.startsWith(idPrefix)) return undefined;
      const text = lookupId.slice(idPrefix.length);
      if (!/^[0-9a-z]{1,11}$/.test(text)) return undefined;
      return ring.explain(Number.parseInt(text, 36), lookupId, nowMs);
    },
    agentAnswer(gateway, nowMs) {
      const record = table.slots.get(gateway);
      if (record) return agentAnswerOf(table, record, nowMs);
      if (startedAtMs === undefined || nowMs - startedAtMs < SETTLING_MS) {
        return { admin: 'ready', health: 'up', weightPercent: 100, reason: 'Herald has just started' };
      }
      return { admin: 'ready', health: 'down', weightPercent: 1, reason: 'unknown gateway' };
    },
    autoscale: (nowMs, pool) => {
      const known = table.pools.get(pool);
      if (known) return roundsOf(known).autoscale.advice(nowMs);
      const target = settings.poolPolicy(pool).sizeTarget;
      const none = {
        desired: 0,
        current: 0,
        loadSum: 0,
        loadAvg: 0,
        loadMax: 0,
        target,
        drainCandidates: [],
      };
      return { ...none, reason: `no pool ${pool}` };
    },
  };
}
