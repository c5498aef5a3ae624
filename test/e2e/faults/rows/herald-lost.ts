// A Herald is killed, stopped for half a minute, restarted. Clients and HAProxy succeed on the next one
// within 1 s; a woken Herald tells nothing from before its sleep; a started one serves from the table in
// ZooKeeper within 1 s of its start, before any gateway has reported to it.

import { pause } from '../../../launch/until.ts';
import type { Field } from '../field.ts';
import { findingOf } from '../finding.ts';
import type { Finding } from '../finding.ts';
import { waitedForCpuMs } from '../cpu-wait.ts';
import { fairTries } from '../fair-tries.ts';
import { openLookupLine } from '../lookup-line.ts';
import type { Effort, Row } from '../row.ts';
import { askJson } from '../ask.ts';

const NEXT_REPLICA_LIMIT_MS = 1_000;
const SERVES_LIMIT_MS = 1_000;
/** Ages in replies are judged by the limit for names: a report older than that is not answered from. */
const OLDEST_MS = 2_000;
const FAILOVER = { roads: ['client', 'haproxy'] } as const;
const PATIENT_LOOKUPS = 20;

export const heraldLost: Row = {
  title: 'Herald kill -9, SIGSTOP, restart',
  async run(field: Field, effort: Effort): Promise<Finding[]> {
    return [...(await killed(field, effort)), await stopped(field, effort), await restarted(field, effort)];
  },
};

async function killed(field: Field, effort: Effort): Promise<Finding[]> {
  const { oracle, heralds } = field;
  const lost = findingOf(oracle, {
    fault: 'Herald kill -9',
    measured: 'slowest lookup of a client or HAProxy',
    limitMs: NEXT_REPLICA_LIMIT_MS,
  });
  const started = findingOf(oracle, {
    fault: 'Herald started, no gateway reaches it',
    measured: 'first name, from its start',
    limitMs: SERVES_LIMIT_MS,
  });
  await fairTries(effort.times(10, 1), started, async (time) => {
    await field.settle();
    const herald = heralds[time % heralds.length]!;
    const killedMs = oracle.fault(`${herald.id} killed`);
    lost.again();
    await herald.kill();
    await pause(2_000);
    lost.took(killedMs, oracle.slowestMs({ ...FAILOVER, fromMs: killedMs - 1_000 }));

    herald.forgetSnapshot();
    herald.cutFromGateways('reset');
    const startMs = oracle.fault(`${herald.id} started, cut from gateways`);
    await herald.start({ wait: false });
    const listeningMs = await firstStatus(herald.publicUrl, '/livez');
    const servesMs = await firstStatus(herald.publicUrl, '/v1/lookup');
    const waitedMs = waitedForCpuMs(herald.pid());
    started.note(
      `${Math.round(servesMs - startMs)} ms, of which it waited ${Math.round(waitedMs)} ms for a core; ` +
        `listening after ${Math.round(listeningMs - startMs)} ms`,
    );
    await pause(500);
    herald.mendGateways();
    lost.lookups({ ...FAILOVER, fromMs: killedMs - 1_000 });
    started.lookups({ roads: ['direct'], heralds: [herald.id], fromMs: servesMs });
    const tookMs = servesMs - startMs;
    return {
      atMs: startMs,
      work: { tookMs, waitedMs },
      judge: () => started.took(startMs, tookMs, 'first name, from its start', waitedMs),
    };
  });
  return [lost.end(), started.end()];
}

async function stopped(field: Field, effort: Effort): Promise<Finding> {
  const { oracle, heralds, lone } = field;
  const finding = findingOf(oracle, {
    fault: 'Herald SIGSTOP, woken',
    measured: 'slowest lookup of a client or HAProxy',
    limitMs: NEXT_REPLICA_LIMIT_MS,
  });
  await field.settle();
  const [steerer, , sleeper] = heralds;
  const [dead, drained] = lone;
  const deadId = dead!.gateways[0]!;
  const drainedId = drained!.gateways[0]!;
  const sleepMs = effort.lasts(30_000, 4_000);

  const frozenMs = oracle.fault(`${sleeper!.id} stopped`);
  finding.again();
  sleeper!.freeze();
  const patient = patientLookups(field, sleeper!, sleepMs);
  await pause(300);
  const deadMs = oracle.fault(`${deadId} killed while ${sleeper!.id} sleeps`);
  dead!.kill();
  await askJson(steerer!.adminUrl, `/v1/gateways/${drainedId}/drain`, { reason: 'asleep', author: 'faults' });
  const drainedMs = oracle.fault(`${drainedId} drained while ${sleeper!.id} sleeps`);
  await pause(Math.max(0, frozenMs + sleepMs - performance.now()));
  sleeper!.thaw();
  const wokenMs = oracle.fault(`${sleeper!.id} continued`);
  const servesMs = await firstStatus(sleeper!.publicUrl, '/v1/lookup');
  finding.note(`served again ${Math.round(servesMs - wokenMs)} ms after it woke`);
  await patient;
  await pause(1_500);

  finding.took(frozenMs, oracle.slowestMs({ ...FAILOVER, fromMs: frozenMs - 500 }));
  finding.lookups({ ...FAILOVER, fromMs: frozenMs - 500 });
  const woken = { roads: ['direct'], heralds: [sleeper!.id] } as const;
  finding.mustNotName(deadId, 0, { ...woken, fromMs: deadMs }, 'killed while the Herald slept');
  finding.mustNotName(drainedId, 0, { ...woken, fromMs: drainedMs }, 'drained while the Herald slept');
  const old = oracle
    .answers({ ...woken, fromMs: frozenMs })
    .filter(({ answeredMs, tableAgeMs }) => answeredMs >= wokenMs && tableAgeMs > OLDEST_MS);
  finding.must(
    old.length === 0,
    `${old.length} answers after waking from reports older than ${OLDEST_MS} ms`,
  );
  await askJson(steerer!.adminUrl, `/v1/gateways/${drainedId}/ready`, { author: 'faults' });
  await dead!.gone();
  await dead!.start();
  return finding.end();
}

/** Lookups that wait at the sleeping Herald's door, however long it takes, spread over its sleep. */
async function patientLookups(
  field: Field,
  herald: { id: string; publicUrl: string },
  sleepMs: number,
): Promise<void> {
  const ask = async (): Promise<void> => {
    const line = openLookupLine(herald.publicUrl);
    const askedMs = performance.now();
    const answer = await line.ask(sleepMs + 10_000);
    await line.close();
    field.oracle.record({
      road: 'direct',
      herald: herald.id,
      askedMs,
      answeredMs: performance.now(),
      ...answer,
    });
  };
  const asked: Promise<void>[] = [];
  for (let i = 0; i < PATIENT_LOOKUPS; i++) {
    asked.push(ask());
    await pause(sleepMs / PATIENT_LOOKUPS);
  }
  await Promise.all(asked);
}

async function restarted(field: Field, effort: Effort): Promise<Finding> {
  const { oracle, heralds } = field;
  const finding = findingOf(oracle, {
    fault: 'Heralds restarted one after the other',
    measured: 'slowest lookup of a client or HAProxy',
    limitMs: NEXT_REPLICA_LIMIT_MS,
  });
  for (let time = 0; time < effort.times(5, 1); time++) {
    await field.settle();
    const fromMs = performance.now();
    for (const herald of heralds) {
      oracle.fault(`${herald.id} restarted`);
      finding.again();
      await herald.stop();
      await herald.start();
      await firstStatus(herald.publicUrl, '/readyz');
    }
    await pause(500);
    finding.took(fromMs, oracle.slowestMs({ ...FAILOVER, fromMs }));
    finding.lookups({ ...FAILOVER, fromMs });
  }
  return finding.end();
}

/** The moment at which `path` is first answered with 200. */
async function firstStatus(origin: string, path: string, deadlineMs = 20_000): Promise<number> {
  const endMs = performance.now() + deadlineMs;
  let last = '';
  while (performance.now() < endMs) {
    const answer = await askJson(origin, path).catch((error: unknown) => {
      last = (error as Error).message;
      return undefined;
    });
    if (answer?.status === 200) return performance.now();
    if (answer) last = `${answer.status} ${answer.text}`;
    await pause(5);
  }
  throw new Error(`${origin}${path} was not answered with 200 in ${deadlineMs} ms: ${last}`);
}
