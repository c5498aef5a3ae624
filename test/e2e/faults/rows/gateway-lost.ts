// A gateway is killed, stopped, drained: no Herald names it any more after 100 ms, 2.0 s, 250 ms. The same
// rounds are run again with wrong clocks.

import { askJson } from '../ask.ts';
import type { Field } from '../field.ts';
import { findingOf } from '../finding.ts';
import type { Finding, FindingBook } from '../finding.ts';
import type { GatewayNode } from '../gateway-node.ts';
import type { HeraldNode } from '../herald-node.ts';
import type { Effort, Row } from '../row.ts';
import { pause } from '../signs.ts';

const MEASURED = 'last named';
export const KILLED_LIMIT_MS = 100;
export const STOPPED_LIMIT_MS = 2_000;
export const DRAINED_LIMIT_MS = 250;

export const gatewayLost: Row = {
  title: 'gateway kill -9, SIGSTOP, drained',
  async run(field: Field, effort: Effort): Promise<Finding[]> {
    const { oracle, lone, heralds } = field;
    const killed = findingOf(oracle, {
      fault: 'gateway kill -9',
      measured: MEASURED,
      limitMs: KILLED_LIMIT_MS,
    });
    for (let time = 0; time < effort.times(20, 2); time++) {
      await field.settle();
      await killRound(field, lone[time % lone.length]!, killed);
    }
    const stopped = findingOf(oracle, {
      fault: 'gateway SIGSTOP',
      measured: MEASURED,
      limitMs: STOPPED_LIMIT_MS,
    });
    for (let time = 0; time < effort.times(20, 1); time++) {
      await field.settle();
      await stopRound(field, [lone[0]!, lone[1]!], stopped);
    }
    const drained = findingOf(oracle, {
      fault: 'gateway drained at one Herald',
      measured: MEASURED,
      limitMs: DRAINED_LIMIT_MS,
    });
    for (let time = 0; time < effort.times(20, 3); time++) {
      await field.settle();
      await drainRound(field, lone[time % 3]!, heralds[time % heralds.length]!, drained);
    }
    const leaving = findingOf(oracle, {
      fault: 'gateway drains by itself',
      measured: MEASURED,
      limitMs: DRAINED_LIMIT_MS,
    });
    await field.settle();
    await leaveRound(field, lone[0]!, leaving);
    return [killed.end(), stopped.end(), drained.end(), leaving.end()];
  },
};

export async function killRound(field: Field, node: GatewayNode, finding: FindingBook): Promise<void> {
  const { oracle } = field;
  const gateway = node.gateways[0]!;
  const atMs = oracle.fault(`${gateway} killed`);
  finding.again();
  node.kill();
  await pause(1_500);
  judge(field, gateway, atMs, KILLED_LIMIT_MS, finding);
  await node.gone();
  await node.start();
}

export async function stopRound(
  field: Field,
  nodes: readonly GatewayNode[],
  finding: FindingBook,
): Promise<void> {
  const { oracle } = field;
  const stopped = nodes.map((node) => {
    const atMs = oracle.fault(`${node.gateways[0]!} stopped`);
    finding.again();
    node.freeze();
    return { node, atMs };
  });
  await pause(STOPPED_LIMIT_MS + 1_500);
  for (const { node, atMs } of stopped) judge(field, node.gateways[0]!, atMs, STOPPED_LIMIT_MS, finding);
  for (const { node } of stopped) node.thaw();
}

/** The gateway does not obey: what keeps it unnamed is what the Heralds know alone. */
export async function drainRound(
  field: Field,
  node: GatewayNode,
  at: HeraldNode,
  finding: FindingBook,
  forMs = 0,
): Promise<void> {
  const { oracle } = field;
  const gateway = node.gateways[0]!;
  const atMs = oracle.fault(`${gateway} drained at ${at.id}`);
  finding.again();
  const answer = await askJson(at.adminUrl, `/v1/gateways/${gateway}/drain`, { author: 'faults', forMs });
  finding.must(answer.status === 200, `the drain was refused: ${answer.text.slice(0, 200)}`);
  await pause(2_000);
  judge(field, gateway, atMs, DRAINED_LIMIT_MS, finding);
  for (const herald of field.heralds) {
    const state = (await herald.row(gateway))?.desired.state;
    finding.must(state === 'drain', `2 s later ${herald.id} wants ${gateway} ${String(state)}`);
  }
  await askJson(at.adminUrl, `/v1/gateways/${gateway}/ready`, { author: 'faults' });
}

async function leaveRound(field: Field, node: GatewayNode, finding: FindingBook): Promise<void> {
  const { oracle } = field;
  const gateway = node.gateways[0]!;
  const atMs = oracle.fault(`${gateway} drains by itself`);
  finding.again();
  node.drain();
  await pause(1_500);
  judge(field, gateway, atMs, DRAINED_LIMIT_MS, finding);
  await node.stop();
  await node.start();
}

function judge(field: Field, gateway: string, atMs: number, limitMs: number, finding: FindingBook): void {
  const { oracle } = field;
  finding.took(oracle.lastNamedMs(gateway, { fromMs: atMs }));
  finding.mustNotName(gateway, { fromMs: atMs + limitMs }, `gone for ${limitMs} ms`);
  finding.lookups({ fromMs: atMs });
}
