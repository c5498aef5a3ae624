// Signs of life that the rows wait for: a quorum that serves, a Herald whose writes reach ZooKeeper, its
// entry and the session behind it, and the three places where a Herald must say that it is degraded.

import { clusterPaths } from '../../../src/cluster/paths.ts';
import { until } from '../../launch/until.ts';
import { askJson } from './ask.ts';
import type { Field } from './field.ts';
import type { FindingBook } from './finding.ts';
import type { HeraldNode } from './herald-node.ts';
import { CLUSTER } from './names.ts';

export const PATHS = clusterPaths(CLUSTER);

/** Resolves as soon as a leader and a majority serve, with the moment that was seen. */
export async function quorumServes(field: Field, deadlineMs = 60_000): Promise<number> {
  await until(
    'a quorum that serves',
    async () => {
      const modes = await Promise.all(
        field.ensemble.servers.map((server) => (server.pid() === 0 ? Promise.resolve('') : server.mode())),
      );
      return modes.includes('leader') && modes.filter((mode) => mode !== '').length >= 2;
    },
    deadlineMs,
    10,
  );
  return performance.now();
}

/** Table parts that this Herald has got written since its start. */
async function partsWritten(herald: HeraldNode): Promise<number> {
  return metric(await metricsOf(herald), /^herald_store_writes_total\{[^}]*outcome="written"[^}]*\} (\d+)/m);
}

/** Resolves with the moment at which each Herald's next part was written. */
export async function nextWrites(
  heralds: readonly HeraldNode[],
  deadlineMs: number,
): Promise<{ herald: HeraldNode; atMs: number }[]> {
  return Promise.all(
    heralds.map(async (herald) => {
      const before = await partsWritten(herald);
      await until(
        `a table part written by ${herald.id}`,
        async () => (await partsWritten(herald)) > before,
        deadlineMs,
        25,
      );
      return { herald, atMs: performance.now() };
    }),
  );
}

/**
 * Session that owns the Herald's entry; empty while there is none. Faults meet the observer's own connection
 * too, so it asks until it is answered.
 */
export async function sessionOf(field: Field, herald: HeraldNode): Promise<string> {
  return until(
    'an answer to the observer',
    async () => {
      const found = await field.observer.get(PATHS.herald(herald.id));
      if (found.ok) return { owner: found.value.owner };
      return found.why === 'no-node' ? { owner: '' } : undefined;
    },
    20_000,
    20,
  ).then(({ owner }) => owner);
}

/** Degraded must be said in `/readyz`, in `/v1/table` and as a metric; or in none of them. */
export async function mustSayDegraded(
  finding: FindingBook,
  heralds: readonly HeraldNode[],
  when: string,
): Promise<void> {
  for (const herald of heralds) {
    const [ready, table, metrics] = await Promise.all([herald.ready(), herald.table(), metricsOf(herald)]);
    const connected = metric(metrics, /^herald_store_connected(?:\{[^}]*\})? (\d+)/m);
    finding.must(ready.status === 'degraded', `${herald.id} ${when}: /readyz says ${ready.status}`);
    finding.must(table.degraded.length > 0, `${herald.id} ${when}: /v1/table does not say degraded`);
    finding.must(connected === 0, `${herald.id} ${when}: herald_store_connected is ${connected}`);
  }
}

/** Resolves with the moment each Herald says that it is ready and nothing is degraded. */
export async function allReady(heralds: readonly HeraldNode[], deadlineMs: number): Promise<number[]> {
  return Promise.all(
    heralds.map(async (herald) => {
      await until(
        `${herald.id} to be ready`,
        async () => (await herald.ready()).status === 'ready',
        deadlineMs,
        20,
      );
      return performance.now();
    }),
  );
}

async function metricsOf(herald: HeraldNode): Promise<string> {
  return (await askJson(herald.adminUrl, '/metrics')).text;
}

function metric(text: string, pattern: RegExp): number {
  return Number(pattern.exec(text)?.[1] ?? 0);
}
