// A Herald's session expires: its connections to ZooKeeper fall silent for longer than the timeout. It gets
// a new session, its entry and its watches within 2 s of the network's return, and where it held the mover
// lease nothing of its old epoch is written any more.

import { pause, until } from '../../../launch/until.ts';
import { askJson } from '../ask.ts';
import type { Field } from '../field.ts';
import { findingOf } from '../finding.ts';
import type { Finding } from '../finding.ts';
import type { HeraldNode } from '../herald-node.ts';
import type { Effort, Row } from '../row.ts';
import { nextWrites, PATHS, sessionOf } from '../signs.ts';

const RETURN_LIMIT_MS = 2_000;
const WATCH_LIMIT_MS = 250;

interface Round {
  herald: string;
  epoch: number;
}

export const sessionExpired: Row = {
  title: 'session expired',
  async run(field: Field, effort: Effort): Promise<Finding[]> {
    const { oracle } = field;
    const finding = findingOf(oracle, {
      fault: 'session expired',
      measured: 'new session, entry, table',
      limitMs: RETURN_LIMIT_MS,
    });
    for (let time = 0; time < effort.times(5, 1); time++) {
      await field.settle();
      const holder = await moverOf(field);
      const before = await sessionOf(field, holder);
      const { epoch } = await lastRound(field);
      const rounds = watchRounds(field);
      const cutMs = oracle.fault(`${holder.id} cut from ZooKeeper until its session expires`);
      finding.again();
      holder.cutFromZookeeper('silent');
      await until('the entry to vanish', async () => (await sessionOf(field, holder)) !== before, 60_000, 20);
      await until('another mover', async () => (await lastRound(field)).epoch > epoch, 30_000, 50);

      const writes = nextWrites([holder], 30_000);
      const mendedMs = performance.now();
      holder.mendZookeeper();
      oracle.fault(`${holder.id} reaches ZooKeeper again`);
      await until(
        'a new entry',
        async () => ![before, ''].includes(await sessionOf(field, holder)),
        30_000,
        10,
      );
      finding.took(mendedMs, performance.now() - mendedMs, 'entry in a new session');
      const [written] = await writes;
      finding.took(mendedMs, written!.atMs - mendedMs, 'table part written');
      await watchesMustWork(field, holder, finding, mendedMs);
      await pause(1_500);
      await rounds.stop();
      for (const late of rounds.backward()) finding.breach(`a write of an old epoch was accepted: ${late}`);
      finding.lookups({ fromMs: cutMs });
    }
    return [finding.end()];
  },
};

/** The Herald that holds the mover lease and has confirmed it by a fenced write. */
async function moverOf(field: Field): Promise<HeraldNode> {
  const id = await until(
    'a mover',
    async () => {
      const found = await field.observer.get(PATHS.moverLease);
      const round = await lastRound(field);
      return found.ok && round.herald === found.value.data ? round.herald : undefined;
    },
    20_000,
    50,
  );
  return field.heralds.find((herald) => herald.id === id)!;
}

async function lastRound(field: Field): Promise<Round> {
  const found = await field.observer.get(PATHS.moverRound);
  if (!found.ok || found.value.data === '') return { herald: '', epoch: 0 };
  return JSON.parse(found.value.data) as Round;
}

/** Sees every round as it is written; an epoch that goes back is a write that the fence let through. */
function watchRounds(field: Field): { backward(): string[]; stop(): Promise<void> } {
  let newest = 0;
  const backward: string[] = [];
  const stop = field.observer.watch(PATHS.moverRound, (entry) => {
    if (!entry || entry.data === '') return;
    const { herald, epoch } = JSON.parse(entry.data) as Round;
    if (epoch < newest) backward.push(`${herald} wrote epoch ${epoch} after ${newest}`);
    newest = Math.max(newest, epoch);
  });
  return {
    backward: () => backward,
    async stop() {
      stop();
    },
  };
}

/** What another Herald is told must reach this one through its new session. */
async function watchesMustWork(
  field: Field,
  herald: HeraldNode,
  finding: ReturnType<typeof findingOf>,
  mendedMs: number,
): Promise<void> {
  const other = field.heralds.find((one) => one !== herald)!;
  const gateway = field.lone[0]!.gateways[0]!;
  await pause(Math.max(0, mendedMs + RETURN_LIMIT_MS - performance.now()));
  for (const [word, state] of [
    ['drain', 'drain'],
    ['ready', 'up'],
  ] as const) {
    const askedMs = performance.now();
    await askJson(other.adminUrl, `/v1/gateways/${gateway}/${word}`, {
      reason: 'watch check',
      author: 'faults',
    });
    await until(
      `${herald.id} to hear ${word}`,
      async () => (await herald.row(gateway))?.desired.state === state,
      5_000,
      5,
    );
    const tookMs = performance.now() - askedMs;
    finding.must(
      tookMs <= finding.allowedMs(askedMs, WATCH_LIMIT_MS),
      `a watched ${word} took ${Math.round(tookMs)} ms after the expiry`,
    );
  }
}
