// A Herald cut off by the network: from ZooKeeper it goes on by its own reports; from the gateways it goes on
// by what the others write; from both it cannot judge, keeps its last good table and raises the alarm.

import { pause, until } from '../../../launch/until.ts';
import { askJson } from '../ask.ts';
import type { Field } from '../field.ts';
import { findingOf } from '../finding.ts';
import type { Finding } from '../finding.ts';
import type { CutKind, HeraldNode } from '../herald-node.ts';
import type { Effort, Row } from '../row.ts';
import { allReady, mustSayDegraded, nextWrites } from '../signs.ts';

const JOIN_LIMIT_MS = 2_000;
const KILLED_LIMIT_MS = 100;
const DRAINED_LIMIT_MS = 250;
const WRONG_AFTER_MS = 2_000;
/** It is judged every 100 ms which reports are too old, and a Herald that is busy then is late by as much. */
const JUDGED_WITHIN_MS = 200;
/** The last report may have come half a second before the cut, and is good for 2 s. */
const ALARM_LIMIT_MS = 2_500;

export const heraldCut: Row = {
  title: 'Herald cut from ZooKeeper, from gateways, from both',
  async run(field: Field, effort: Effort): Promise<Finding[]> {
    const findings = [await fromZookeeper(field, effort)];
    for (const kind of ['silent', 'reset'] as const) findings.push(await fromGateways(field, effort, kind));
    for (const kind of ['silent', 'reset'] as const) findings.push(await fromBoth(field, effort, kind));
    return findings;
  },
};

async function fromZookeeper(field: Field, effort: Effort): Promise<Finding> {
  const { oracle, heralds, lone } = field;
  const finding = findingOf(oracle, {
    fault: 'Herald cut from ZooKeeper only',
    measured: 'table written after the return',
    limitMs: JOIN_LIMIT_MS,
  });
  await field.settle();
  const [cut, other] = heralds;
  const [killed, left, , obedient] = lone;
  const cutMs = oracle.fault(`${cut!.id} cut from ZooKeeper`);
  finding.again();
  cut!.cutFromZookeeper('silent');
  await pause(effort.lasts(30_000, 5_000));
  await mustSayDegraded(finding, [cut!], 'cut from ZooKeeper');

  const killedMs = oracle.fault(`${killed!.gateways[0]!} killed`);
  killed!.kill();
  const leftMs = oracle.fault(`${left!.gateways[0]!} drains by itself`);
  left!.drain();
  const drainedMs = oracle.fault(`${obedient!.gateways[0]!} drained at ${other!.id}`);
  await askJson(other!.adminUrl, `/v1/gateways/${obedient!.gateways[0]!}/drain`, { author: 'faults' });
  await pause(WRONG_AFTER_MS + 1_000);
  finding.mustNotName(killed!.gateways[0]!, KILLED_LIMIT_MS, { fromMs: killedMs }, 'killed');
  finding.mustNotName(left!.gateways[0]!, DRAINED_LIMIT_MS, { fromMs: leftMs }, 'draining');
  finding.mustNotName(
    obedient!.gateways[0]!,
    WRONG_AFTER_MS,
    { fromMs: drainedMs },
    'drained at another Herald',
  );
  finding.note(
    `${cut!.id} last named one drained elsewhere after ` +
      `${Math.round(oracle.lastNamedMs(obedient!.gateways[0]!, { fromMs: drainedMs }))} ms`,
  );

  const writes = nextWrites([cut!], 30_000);
  const mendedMs = oracle.fault(`${cut!.id} reaches ZooKeeper again`);
  cut!.mendZookeeper();
  const [written] = await writes;
  finding.took(mendedMs, written!.atMs - mendedMs);
  const [readyMs] = await allReady([cut!], 30_000);
  finding.took(mendedMs, readyMs! - mendedMs, `${cut!.id} said ready`);
  finding.lookups({ fromMs: cutMs });
  await askJson(other!.adminUrl, `/v1/gateways/${obedient!.gateways[0]!}/ready`, { author: 'faults' });
  await Promise.all([killed!.start(), left!.stop().then(() => left!.start())]);
  return finding.end();
}

async function fromGateways(field: Field, effort: Effort, kind: CutKind): Promise<Finding> {
  const { oracle, heralds, lone } = field;
  const finding = findingOf(oracle, {
    fault: `Herald cut from gateways only (${kind})`,
    measured: 'a dead gateway was named there for',
    limitMs: WRONG_AFTER_MS,
  });
  await field.settle();
  const cut = heralds[0]!;
  const killed = lone[0]!;
  const killedId = killed.gateways[0]!;
  const cutMs = oracle.fault(`${cut.id} cut from gateways (${kind})`);
  finding.again();
  cut.cutFromGateways(kind);
  const frozen = watchFrozen(cut);
  await pause(effort.lasts(30_000, 3_500));
  const killedMs = oracle.fault(`${killedId} killed`);
  killed.kill();
  await pause(WRONG_AFTER_MS + 1_500);
  await frozen.end();
  const there = { roads: ['direct'], heralds: [cut.id] } as const;
  const elsewhere = { roads: ['direct'], heralds: heralds.slice(1).map(({ id }) => id) } as const;
  finding.took(killedMs, oracle.lastNamedMs(killedId, { ...there, fromMs: killedMs }));
  finding.mustNotName(killedId, WRONG_AFTER_MS, { ...there, fromMs: killedMs }, 'killed');
  finding.mustNotName(killedId, KILLED_LIMIT_MS, { ...elsewhere, fromMs: killedMs }, 'killed');
  const old = oracle.answers({ ...there, fromMs: cutMs }).find(({ tableAgeMs, answeredMs }) => {
    const overdueMs = tableAgeMs - WRONG_AFTER_MS;
    const lateMs = oracle.lateMs(answeredMs - overdueMs, answeredMs);
    return overdueMs > JUDGED_WITHIN_MS + lateMs && !frozen.saidAt(answeredMs);
  });
  finding.must(
    !old,
    `${cut.id} answered from a report ${old?.tableAgeMs} ms old and did not say it was frozen`,
  );
  finding.must(!(await cut.table()).frozen, `${cut.id} froze its table although others tell it the truth`);
  cut.mendGateways();
  oracle.fault(`${cut.id} hears gateways again`);
  await killed.start();
  finding.lookups({ fromMs: cutMs });
  return finding.end();
}

interface FrozenWatch {
  /** Whether it said so at about that time. */
  saidAt(ms: number): boolean;
  end(): Promise<void>;
}

/** Where what others write comes too late for most gateways at once, they stay in use, and a Herald says so. */
function watchFrozen(herald: HeraldNode): FrozenWatch {
  const said: number[] = [];
  let ends = false;
  const watch = async (): Promise<void> => {
    while (!ends) {
      if ((await herald.table()).frozen) said.push(performance.now());
      await pause(50);
    }
  };
  const watching = watch();
  return {
    saidAt: (ms) => said.some((atMs) => Math.abs(atMs - ms) <= JUDGED_WITHIN_MS),
    end() {
      ends = true;
      return watching;
    },
  };
}

async function fromBoth(field: Field, effort: Effort, kind: CutKind): Promise<Finding> {
  const { oracle, heralds, lone } = field;
  const finding = findingOf(oracle, {
    fault: `Herald cut from both (${kind})`,
    measured: 'alarm in /readyz after the cut',
    limitMs: ALARM_LIMIT_MS,
  });
  await field.settle();
  const cut = heralds[0]!;
  const killed = lone[0]!;
  const killedId = killed.gateways[0]!;
  const cutMs = oracle.fault(`${cut.id} cut from gateways and ZooKeeper (${kind})`);
  finding.again();
  cut.cutFromGateways(kind);
  cut.cutFromZookeeper(kind);
  const alarm = until(
    'the alarm',
    async () => (await cut.ready()).degraded.some((words) => words.includes('frozen')),
    20_000,
    20,
  ).then(() => performance.now());
  await pause(500);
  const killedMs = oracle.fault(`${killedId} killed`);
  killed.kill();
  const alarmMs = await alarm;
  oracle.fault(`${cut.id} raised the alarm`);
  finding.took(cutMs, alarmMs - cutMs);
  await pause(effort.lasts(30_000, 2_000));
  finding.must((await cut.table()).frozen, `${cut.id} does not say frozen in /v1/table`);
  finding.mustNotName(
    killedId,
    WRONG_AFTER_MS,
    { roads: ['direct'], heralds: [cut.id], fromMs: killedMs, toMs: alarmMs },
    'killed, and no alarm yet',
  );
  finding.mustNotName(
    killedId,
    KILLED_LIMIT_MS,
    { roads: ['direct'], heralds: heralds.slice(1).map(({ id }) => id), fromMs: killedMs },
    'killed',
  );
  cut.mendGateways();
  cut.mendZookeeper();
  const mendedMs = oracle.fault(`${cut.id} reaches everything again`);
  await until('the alarm to end', async () => !(await cut.table()).frozen, 20_000, 20);
  finding.note(`alarm over ${Math.round(performance.now() - mendedMs)} ms after the return`);
  await pause(WRONG_AFTER_MS + 500);
  finding.mustNotName(killedId, WRONG_AFTER_MS, { fromMs: mendedMs }, 'dead, at the return');
  finding.lookups({ fromMs: cutMs });
  await killed.start();
  return finding.end();
}
