// Wall clocks wrong by an hour either way at two Heralds, two gateways and a ZooKeeper server that leads
// (libfaketime; the monotonic clock stays true, as it does on a machine whose NTP is lost): nothing changes.

import { existsSync } from 'node:fs';
import { pause, until } from '../../../launch/until.ts';
import { askJson } from '../ask.ts';
import type { Field } from '../field.ts';
import { fairTries } from '../fair-tries.ts';
import { findingOf } from '../finding.ts';
import type { Finding, FindingBook } from '../finding.ts';
import type { Effort, Row } from '../row.ts';
import { nextWrites, quorumServes } from '../signs.ts';
import {
  DRAINED_LIMIT_MS,
  drainRound,
  KILLED_LIMIT_MS,
  killRound,
  STOPPED_LIMIT_MS,
  stopRound,
} from './gateway-lost.ts';

const LIBRARIES = [
  '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1',
  '/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1',
];
const HALF_AN_HOUR_MS = 1_800_000;
const LAPSE_MS = 3_000;

/** Shifts the wall clock of a process started with it; undefined when libfaketime is not installed. */
export function shifted(by: '+1h' | '-1h'): Record<string, string> | undefined {
  const library = LIBRARIES.find((path) => existsSync(path));
  return library === undefined
    ? undefined
    : {
        LD_PRELOAD: library,
        FAKETIME: by,
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
        // Its cure for waits on the monotonic clock makes those of the JVM half a second long instead.
        FAKETIME_FORCE_MONOTONIC_FIX: '0',
      };
}

export const clocksOff: Row = {
  title: 'clocks off by an hour',
  async run(field: Field, effort: Effort): Promise<Finding[]> {
    const { oracle } = field;
    const late = shifted('-1h');
    const early = shifted('+1h');
    const moving = findingOf(oracle, {
      fault: 'clocks off by an hour: leader change, cut, restart',
      measured: 'a dead gateway was named for',
      limitMs: STOPPED_LIMIT_MS,
    });
    if (!late || !early) {
      moving.breach('libfaketime is not installed: apt-get install faketime');
      return [moving.end()];
    }
    await field.settle();
    const skewMs = oracle.fault('clocks of h1 and gw-01 an hour early, of h2 and gw-02 an hour late');
    await restart(field, [early, late]);
    await clockMustBeOff(field, moving);
    await field.settle();
    await leadWithShiftedClock(field, early);

    const findings = await sameAsEver(field, effort);
    await field.settle();
    await leaderChangesUnderCut(field, moving);
    moving.lookups({ roads: ['client', 'haproxy'], fromMs: skewMs });
    await wrongBoots(field, moving, late);

    oracle.fault('all clocks right again');
    await restart(field, [{}, {}]);
    const wrong = field.ensemble.servers[2]!;
    await wrong.stop();
    await wrong.start(false);
    await field.settle();
    return [...findings, moving.end()];
  },
};

/** Restarts the first Heralds and gateways, each with the environment of its place. */
async function restart(field: Field, envs: readonly Record<string, string>[]): Promise<void> {
  await Promise.all(
    envs.flatMap((env, i) => [
      field.heralds[i]!.stop().then(() => field.heralds[i]!.start({ env })),
      field.lone[i]!.stop().then(() => field.lone[i]!.start(env)),
    ]),
  );
}

/** The same rounds as with right clocks, and a drain with an end. */
async function sameAsEver(field: Field, effort: Effort): Promise<Finding[]> {
  const { oracle, heralds, lone } = field;
  const about = (fault: string, limitMs: number) =>
    findingOf(oracle, { fault: `clocks off by an hour: ${fault}`, measured: 'last named', limitMs });
  const killed = about('gateway kill -9', KILLED_LIMIT_MS);
  const stopped = about('gateway SIGSTOP', STOPPED_LIMIT_MS);
  const drained = about('gateway drained for half an hour', DRAINED_LIMIT_MS);
  await fairTries(effort.times(5, 1), killed, () => killRound(field, lone[2]!, killed));
  await fairTries(effort.times(5, 1), stopped, () => stopRound(field, [lone[0]!, lone[1]!], stopped));
  await fairTries(effort.times(15, 2), drained, (time) =>
    drainRound(field, lone[2]!, heralds[time % 3]!, drained, HALF_AN_HOUR_MS),
  );
  const lapsing = findingOf(oracle, {
    fault: 'clocks off by an hour: a drain lapses',
    measured: 'over, too early or too late by',
    limitMs: 1_000,
  });
  for (const at of heralds.slice(0, effort.times(3, 1))) {
    await field.settle();
    await lapseRound(field, at.adminUrl, lone[2]!.gateways[0]!, lapsing);
  }
  return [killed.end(), stopped.end(), drained.end(), lapsing.end()];
}

async function lapseRound(
  field: Field,
  adminUrl: string,
  gateway: string,
  finding: FindingBook,
): Promise<void> {
  finding.again();
  const atMs = field.oracle.fault(`${gateway} drained for ${LAPSE_MS} ms`);
  await askJson(adminUrl, `/v1/gateways/${gateway}/drain`, { author: 'faults', forMs: LAPSE_MS });
  await pause(500);
  const over = await Promise.all(
    field.heralds.map(async (herald) => {
      await until(
        `the drain to lapse at ${herald.id}`,
        async () => (await herald.row(gateway))?.desired.state === 'up',
        LAPSE_MS + 20_000,
        20,
      );
      return { herald, atMs: performance.now() };
    }),
  );
  for (const { herald, atMs: overMs } of over) {
    finding.took(atMs + LAPSE_MS, Math.abs(overMs - atMs - LAPSE_MS), `lapsed at ${herald.id}`);
  }
  finding.lookups({ fromMs: atMs });
}

/** Ages of what others wrote are told by the store's clock; a leader with another clock takes over. */
async function leaderChangesUnderCut(field: Field, finding: FindingBook): Promise<void> {
  const { ensemble, oracle, heralds, lone } = field;
  const cut = heralds[0]!;
  const killed = lone[3]!;
  const killedId = killed.gateways[0]!;
  oracle.fault(`${cut.id} cut from gateways, and the leader killed`);
  finding.again();
  cut.cutFromGateways('silent');
  await pause(2_500);
  const leader = await ensemble.leader();
  await leader.kill();
  await quorumServes(field);
  await nextWrites(heralds.slice(1), 20_000);
  await pause(1_500);
  const killedMs = oracle.fault(`${killedId} killed`);
  killed.kill();
  await pause(STOPPED_LIMIT_MS + 1_500);
  finding.took(killedMs, oracle.lastNamedMs(killedId, { fromMs: killedMs }));
  finding.mustNotName(killedId, STOPPED_LIMIT_MS, { fromMs: killedMs }, 'killed');
  cut.mendGateways();
  await leader.start(false);
  await killed.start();
}

/** A gateway that starts again an hour "before" its last start is taken at its word at once. */
async function wrongBoots(field: Field, finding: FindingBook, late: Record<string, string>): Promise<void> {
  const { oracle, heralds, lone } = field;
  const node = lone[0]!;
  const gateway = node.gateways[0]!;
  await field.settle();
  await node.stop();
  await node.start(late);
  const startMs = oracle.fault(`${gateway} started again with its clock two hours back`);
  await until(
    `${gateway} up at every Herald`,
    async () =>
      (await Promise.all(heralds.map((herald) => herald.row(gateway)))).every(
        (row) => row?.effectiveState === 'up',
      ),
    20_000,
    20,
  );
  const tookMs = performance.now() - startMs;
  finding.must(
    tookMs <= finding.allowedMs(startMs, STOPPED_LIMIT_MS),
    `a gateway of an earlier clock was named after ${Math.round(tookMs)} ms`,
  );
}

/** Makes the third ZooKeeper server lead, with its clock off. */
async function leadWithShiftedClock(field: Field, env: Record<string, string>): Promise<void> {
  const { ensemble, oracle } = field;
  const wrong = ensemble.servers[2]!;
  await wrong.stop();
  await wrong.start(false, env);
  await ensemble.ready(60_000);
  for (let tries = 0; tries < 10; tries++) {
    const leader = await ensemble.leader();
    if (leader.port === wrong.port) break;
    // Of two equals the one with the highest id is elected.
    await leader.stop();
    await quorumServes(field);
    await leader.start(false);
    await ensemble.ready(60_000);
  }
  oracle.fault(`ZooKeeper ${wrong.address} leads with a wrong clock`);
}

/** Without this check the whole row could pass on right clocks. */
async function clockMustBeOff(field: Field, finding: FindingBook): Promise<void> {
  const [early, late] = field.heralds;
  for (const herald of [early!, late!]) {
    const { json } = await askJson(herald.publicUrl, '/v1/lookup');
    const offMs = Math.abs(Date.parse((json as { expiresAt: string }).expiresAt) - Date.now());
    finding.must(offMs > HALF_AN_HOUR_MS, `${herald.id}'s clock is right: nothing was tried`);
  }
}
