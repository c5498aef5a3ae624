// Drain, maint and ready set at any Herald hold at all of them within 250 ms, with reason, author and end;
// they survive restarts of everything; and the gateway is told.

import { pause, until } from '../../../launch/until.ts';
import { askJson } from '../ask.ts';
import type { Field } from '../field.ts';
import { waitedForCpuMs } from '../cpu-wait.ts';
import type { Try } from '../fair-tries.ts';
import { fairTries } from '../fair-tries.ts';
import { findingOf } from '../finding.ts';
import type { Finding, FindingBook } from '../finding.ts';
import type { GatewayNode } from '../gateway-node.ts';
import type { HeraldNode } from '../herald-node.ts';
import type { Effort, Row } from '../row.ts';
import { DRAINED_LIMIT_MS } from './gateway-lost.ts';

const WORDS = [
  ['drain', 'drain'],
  ['maint', 'maint'],
  ['ready', 'up'],
] as const;
const HOUR_MS = 3_600_000;
/** A report each half second carries the answer; two of them may pass. */
const TOLD_LIMIT_MS = 1_200;

export const desiredHolds: Row = {
  title: 'drain, maint, ready at any Herald',
  async run(field: Field, effort: Effort): Promise<Finding[]> {
    return [await anywhere(field, effort), await toldToGateway(field), await overRestarts(field)];
  },
};

async function anywhere(field: Field, effort: Effort): Promise<Finding> {
  const { oracle, heralds, lone } = field;
  const finding = findingOf(oracle, {
    fault: 'drain, maint, ready set at any Herald',
    measured: 'held at all',
    limitMs: DRAINED_LIMIT_MS,
  });
  await field.settle();
  const fromMs = performance.now();
  for (let time = 0; time < effort.times(20, 1); time++) {
    const gateway = lone[time % 3]!.gateways[0]!;
    for (const at of heralds) {
      for (const [word, state] of WORDS) {
        await fairTries(1, finding, (again) =>
          steerRound(field, at, gateway, word, state, `try ${time}.${again} of ${word}`, finding),
        );
      }
    }
  }
  finding.lookups({ fromMs });
  return finding.end();
}

/** The word reaches every Herald, whole, and from then on the gateway is named as it says. */
async function steerRound(
  field: Field,
  at: HeraldNode,
  gateway: string,
  word: string,
  state: string,
  reason: string,
  finding: FindingBook,
): Promise<Try> {
  const { oracle, heralds } = field;
  const waits = heralds.map((herald) => waitedForCpuMs(herald.pid()));
  const atMs = oracle.fault(`${gateway} ${word} at ${at.id}`);
  const set = await askJson(at.adminUrl, `/v1/gateways/${gateway}/${word}`, {
    reason,
    author: 'an operator',
    forMs: HOUR_MS,
  });
  const { desired } = set.json as { desired: HeraldRow['desired'] };
  await Promise.all(heralds.map((herald) => holds(herald, gateway, state, reason)));
  const heldMs = performance.now();
  const waitedMs = Math.max(...heralds.map((herald, i) => waitedForCpuMs(herald.pid()) - waits[i]!));
  for (const herald of heralds) {
    const row = (await herald.row(gateway))!;
    finding.must(
      row.desired.author === 'an operator' && row.desired.untilEpochMs === desired.untilEpochMs,
      `${herald.id} has ${JSON.stringify(row.desired)} for ${word} at ${at.id}`,
    );
  }
  if (state !== 'up') await pause(DRAINED_LIMIT_MS + 150);
  const toMs = performance.now();
  return {
    atMs,
    work: { tookMs: heldMs - atMs, waitedMs },
    judge() {
      finding.took(atMs, heldMs - atMs, `${word} at ${at.id}`, waitedMs);
      if (state !== 'up') finding.mustNotName(gateway, DRAINED_LIMIT_MS, { fromMs: atMs, toMs }, word);
    },
  };
}

type HeraldRow = NonNullable<Awaited<ReturnType<HeraldNode['row']>>>;

async function holds(herald: HeraldNode, gateway: string, state: string, reason?: string): Promise<void> {
  await until(
    `${gateway} ${state} at ${herald.id}`,
    async () => {
      const desired = (await herald.row(gateway))?.desired;
      return desired?.state === state && (reason === undefined || desired.reason === reason);
    },
    10_000,
    3,
  );
}

/** Twice, because an order that was given before must be given again. */
async function toldToGateway(field: Field): Promise<Finding> {
  const { oracle, heralds, lone } = field;
  const finding = findingOf(oracle, {
    fault: 'drain and ready told to the gateway',
    measured: 'told after the order',
    limitMs: TOLD_LIMIT_MS,
  });
  await field.settle();
  const fromMs = performance.now();
  const node: GatewayNode = lone[3]!;
  const gateway = node.gateways[0]!;
  for (const time of [1, 2]) {
    for (const [word, key] of [
      ['drain', 'drain'],
      ['ready', 'ready'],
    ] as const) {
      finding.again();
      const before = node.told().length;
      const at = heralds[time % heralds.length]!;
      const atMs = oracle.fault(`${gateway} ${word} at ${at.id}, to be told`);
      await askJson(at.adminUrl, `/v1/gateways/${gateway}/${word}`, {
        reason: 'new kernel',
        author: 'faults',
      });
      const told = await until(
        'the order to arrive',
        () =>
          node
            .told()
            .slice(before)
            .find((one) => key in one.directive),
        5_000,
        10,
      ).catch(() => undefined);
      if (!told) {
        finding.breach(`time ${time}: ${word} was never told to the gateway`);
        continue;
      }
      finding.took(atMs, performance.now() - atMs, word);
      const order = told.directive[key]!;
      finding.must(
        key === 'ready' || order.reason === 'new kernel',
        `the reason became ${String(order.reason)}`,
      );
      await pause(700);
    }
  }
  finding.lookups({ fromMs });
  await node.stop();
  await node.start();
  return finding.end();
}

/** Two gateways are out of service; whatever is restarted, nobody names them and everybody knows why. */
async function overRestarts(field: Field): Promise<Finding> {
  const { ensemble, oracle, heralds, lone, shared } = field;
  const finding = findingOf(oracle, {
    fault: 'desired states over restarts of everything',
    measured: 'all Heralds knew again after',
    limitMs: Infinity,
  });
  await field.settle();
  const wishes = [
    { gateway: lone[0]!.gateways[0]!, word: 'drain', state: 'drain' },
    { gateway: lone[1]!.gateways[0]!, word: 'maint', state: 'maint' },
  ];
  const kept: HeraldRow['desired'][] = [];
  for (const { gateway, word, state } of wishes) {
    const set = await askJson(heralds[1]!.adminUrl, `/v1/gateways/${gateway}/${word}`, {
      reason: 'disk swap, ticket 4711',
      author: 'night shift',
      forMs: HOUR_MS,
    });
    kept.push((set.json as { desired: HeraldRow['desired'] }).desired);
    await Promise.all(heralds.map((herald) => holds(herald, gateway, state)));
  }
  // A Herald saves its snapshot each second.
  await pause(1_500);
  const setMs = performance.now();

  const check = async (after: string, sinceMs: number): Promise<void> => {
    for (const [i, { gateway, state }] of wishes.entries()) {
      await Promise.all(heralds.map((herald) => holds(herald, gateway, state)));
      for (const herald of heralds) {
        const found = JSON.stringify((await herald.row(gateway))!.desired);
        finding.must(found === JSON.stringify(kept[i]), `after ${after} ${herald.id} has ${found}`);
      }
    }
    finding.took(sinceMs, performance.now() - sinceMs);
    finding.note(`${after}: known again after ${Math.round(performance.now() - sinceMs)} ms`);
    await pause(1_000);
    for (const { gateway, state } of wishes) {
      finding.mustNotName(gateway, 0, { fromMs: sinceMs }, `set to ${state}, after ${after}`);
    }
  };

  const step = async (what: string, act: () => Promise<unknown>): Promise<void> => {
    const atMs = oracle.fault(what);
    finding.again();
    await act();
    await check(what, atMs);
  };

  await step('each Herald restarted in turn', async () => {
    for (const herald of heralds) {
      await herald.stop();
      await herald.start();
    }
  });
  await step('all Heralds killed, their disks lost', async () => {
    await Promise.all(heralds.map((herald) => herald.kill()));
    for (const herald of heralds) herald.forgetSnapshot();
    await Promise.all(heralds.map((herald) => herald.start()));
  });
  await step('all of ZooKeeper restarted', async () => {
    await Promise.all(ensemble.servers.map((server) => server.kill()));
    await Promise.all(ensemble.servers.map((server) => server.start(false)));
    await field.settleStore();
  });
  await step('the gateways restarted', async () => {
    for (const node of lone.slice(0, 2)) {
      await node.stop();
      await node.start();
    }
  });
  await step('everything killed and started, ZooKeeper last', async () => {
    await Promise.all([
      ...heralds.map((herald) => herald.kill()),
      ...ensemble.servers.map((server) => server.kill()),
      ...[...lone, shared].map(async (node) => {
        node.kill();
        await node.gone();
      }),
    ]);
    await Promise.all(heralds.map((herald) => herald.start()));
    await Promise.all([...lone, shared].map((node) => node.start()));
    await pause(1_000);
    await Promise.all(ensemble.servers.map((server) => server.start(false)));
    await field.settleStore();
  });
  finding.must(oracle.asked({ fromMs: setMs }) > 0, 'no lookup was asked');
  for (const { gateway } of wishes) {
    await askJson(heralds[0]!.adminUrl, `/v1/gateways/${gateway}/ready`, { author: 'faults' });
  }
  await field.settle();
  return finding.end();
}
