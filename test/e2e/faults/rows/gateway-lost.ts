// A gateway is killed, stopped, drained: no Herald names it any more after 100 ms, 2.0 s, 250 ms. The same
// rounds are run again with wrong clocks.

import { pause } from '../../../launch/until.ts';
import { askJson } from '../ask.ts';
import type { Try } from '../fair-tries.ts';
import { fairTries } from '../fair-tries.ts';
import type { Field } from '../field.ts';
import { findingOf } from '../finding.ts';
import type { Finding, FindingBook } from '../finding.ts';
import type { GatewayNode } from '../gateway-node.ts';
import type { HeraldNode } from '../herald-node.ts';
import type { Effort, Row } from '../row.ts';

const MEASURED = 'last named';
export const KILLED_LIMIT_MS = 100;
export const STOPPED_LIMIT_MS = 2_000;
export const DRAINED_LIMIT_MS = 250;
/** How long after the limit a name is still looked for. */
const WATCH_MS = 1_200;

export const gatewayLost: Row = {
  title: 'gateway kill -9, SIGSTOP, drained',
  async run(field: Field, effort: Effort): Promise<Finding[]> {
    const { oracle, lone, heralds } = field;
    const about = (fault: string, limitMs: number): FindingBook =>
      findingOf(oracle, { fault, measured: MEASURED, limitMs });
    const killed = about('gateway kill -9', KILLED_LIMIT_MS);
    await fairTries(effort.times(20, 2), killed, (time) =>
      killRound(field, lone[time % lone.length]!, killed),
    );
    const stopped = about('gateway SIGSTOP', STOPPED_LIMIT_MS);
    await fairTries(effort.times(20, 1), stopped, () => stopRound(field, [lone[0]!, lone[1]!], stopped));
    const drained = about('gateway drained at one Herald', DRAINED_LIMIT_MS);
    await fairTries(effort.times(20, 3), drained, (time) =>
      drainRound(field, lone[time % 3]!, heralds[time % heralds.length]!, drained),
    );
    const leaving = about('gateway drains by itself', DRAINED_LIMIT_MS);
    await fairTries(effort.times(5, 1), leaving, () => leaveRound(field, lone[0]!, leaving));
    return [killed.end(), stopped.end(), drained.end(), leaving.end()];
  },
};

export async function killRound(field: Field, node: GatewayNode, finding: FindingBook): Promise<Try> {
  const { oracle } = field;
  await field.settle();
  const gateway = node.gateways[0]!;
  const atMs = oracle.fault(`${gateway} killed`);
  node.kill();
  await pause(KILLED_LIMIT_MS + WATCH_MS);
  const judge = judgement(field, gateway, atMs, KILLED_LIMIT_MS, finding, 'killed');
  await node.gone();
  await node.start();
  return { atMs, judge };
}

export async function stopRound(
  field: Field,
  nodes: readonly GatewayNode[],
  finding: FindingBook,
): Promise<Try> {
  const { oracle } = field;
  await field.settle();
  const stopped = nodes.map((node) => {
    const atMs = oracle.fault(`${node.gateways[0]!} stopped`);
    node.freeze();
    return { node, atMs };
  });
  await pause(STOPPED_LIMIT_MS + WATCH_MS);
  const judges = stopped.map(({ node, atMs }) =>
    judgement(field, node.gateways[0]!, atMs, STOPPED_LIMIT_MS, finding, 'stopped'),
  );
  for (const { node } of stopped) node.thaw();
  return { atMs: stopped[0]!.atMs, judge: () => judges.forEach((judge) => judge()) };
}

/** The gateway does not obey: what keeps it unnamed is what the Heralds know alone. */
export async function drainRound(
  field: Field,
  node: GatewayNode,
  at: HeraldNode,
  finding: FindingBook,
  forMs = 0,
): Promise<Try> {
  const { oracle } = field;
  await field.settle();
  const gateway = node.gateways[0]!;
  const atMs = oracle.fault(`${gateway} drained at ${at.id}`);
  const answer = await askJson(at.adminUrl, `/v1/gateways/${gateway}/drain`, { author: 'faults', forMs });
  finding.must(answer.status === 200, `the drain was refused: ${answer.text.slice(0, 200)}`);
  await pause(DRAINED_LIMIT_MS + WATCH_MS);
  const judge = judgement(field, gateway, atMs, DRAINED_LIMIT_MS, finding, `drained at ${at.id}`);
  for (const herald of field.heralds) {
    const state = (await herald.row(gateway))?.desired.state;
    finding.must(state === 'drain', `long after ${herald.id} wants ${gateway} ${String(state)}`);
  }
  await askJson(at.adminUrl, `/v1/gateways/${gateway}/ready`, { author: 'faults' });
  return { atMs, judge };
}

async function leaveRound(field: Field, node: GatewayNode, finding: FindingBook): Promise<Try> {
  const { oracle } = field;
  await field.settle();
  const gateway = node.gateways[0]!;
  const atMs = oracle.fault(`${gateway} drains by itself`);
  node.drain();
  await pause(DRAINED_LIMIT_MS + WATCH_MS);
  const judge = judgement(field, gateway, atMs, DRAINED_LIMIT_MS, finding, 'draining');
  await node.stop();
  await node.start();
  return { atMs, judge };
}

/** Of the answers until now; made later, when the gateway may be back. */
function judgement(
  field: Field,
  gateway: string,
  atMs: number,
  limitMs: number,
  finding: FindingBook,
  why: string,
): () => void {
  const { oracle } = field;
  const scope = { fromMs: atMs, toMs: performance.now() };
  return () => {
    finding.took(atMs, oracle.lastNamedMs(gateway, scope));
    finding.mustNotName(gateway, limitMs, scope, why);
    finding.lookups(scope);
  };
}
