// What HAProxy does while Heralds die: Heralds of the built program, killed with SIGKILL, before a real HAProxy.

import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { freePort, freePorts } from '../../launch/free-port.ts';
import type { Haproxy } from '../../launch/haproxy.ts';
import { launchHaproxy } from '../../launch/haproxy.ts';
import type { HeraldProcess } from '../../launch/herald-process.ts';
import { HERALD_BIN, startHeraldProcess } from '../../launch/herald-process.ts';
import { requireServer } from '../../launch/require-server.ts';
import { until } from '../../launch/until.ts';
import { ask, send } from '../herald/one-herald.ts';
import type { MiniGateway } from './rig.ts';
import { becomes, connectMany, defaults, frontend, keepReporting, miniGateway, shares } from './rig.ts';

beforeAll(() => {
  // Says `npm run build` where it is missing.
  readFileSync(HERALD_BIN);
});

/** One Herald that can be killed and started again on the same ports. */
async function killable(id: string, more: Record<string, string> = {}) {
  const [front, control, agent, admin] = (await freePorts(4)).map((port) => `127.0.0.1:${port}`);
  const flags = {
    id,
    'public-listen': front!,
    'control-listen': control!,
    'agent-listen': agent!,
    'admin-listen': admin!,
    ...more,
  };
  let process: HeraldProcess | undefined;
  const self = {
    id,
    public: front!,
    control: `http://${control!}`,
    agent: agent!,
    admin: `http://${admin!}`,
    start: async () => void (process = await startHeraldProcess('serve', flags)),
    kill: async () => process!.kill(),
    signal: (signal: NodeJS.Signals) => process!.signal(signal),
  };
  onTestFinished(() => process?.kill());
  await self.start();
  return self;
}
type Killable = Awaited<ReturnType<typeof killable>>;

async function reportingTo(heralds: readonly Killable[], count: number): Promise<MiniGateway[]> {
  const gateways = await Promise.all(
    Array.from({ length: count }, (_, i) => miniGateway(`gw-${i + 1}`, 0.2)),
  );
  for (const gateway of gateways) onTestFinished(() => gateway.close());
  onTestFinished(keepReporting(gateways, () => heralds.map(({ control }) => control)));
  for (const { admin } of heralds) {
    await until('all gateways in the table', async () => {
      const { body } = await ask(`${admin}/v1/table`);
      return body.gateways.length === count;
    });
  }
  return gateways;
}

async function started(config: string): Promise<Haproxy> {
  const haproxy = await launchHaproxy(config);
  onTestFinished(() => haproxy.stop());
  return haproxy;
}

const isUp = ({ status, weight }: { status: string; weight: number }): boolean =>
  status === 'UP' && weight > 1;
const isDraining = ({ status }: { status: string }): boolean => status.includes('DRAIN');

describe.runIf(requireServer('haproxy'))('Herald killed with SIGKILL', () => {
  it('leaves no drained server behind once it is back', async () => {
    const herald = await killable('herald-1');
    const gateways = await reportingTo([herald], 3);
    const { text } = await ask(`${herald.admin}/v1/haproxy.cfg?backend=chat`);
    const port = await freePort();
    const haproxy = await started(`${defaults()}${frontend(port, 'chat')}${text}`);
    for (const { id } of gateways) await becomes(haproxy, id, 'up', isUp, 15_000);
    for (let round = 0; round < 3; round++) {
      // One drained by an operator, one that says so itself, one that fell silent: all three are HAProxy's last word.
      await send(`${herald.admin}/v1/gateways/gw-1/drain`, { reason: 'deploy' });
      gateways[1]!.state = 'draining';
      await becomes(haproxy, 'gw-1', 'drained', isDraining, 8_000);
      await becomes(haproxy, 'gw-2', 'drained', isDraining, 8_000);
      await herald.kill();
      // While nobody answers, HAProxy keeps what it heard; the gateway returns and the operator's wish is lost.
      gateways[1]!.state = 'up';
      expect((await haproxy.servers('chat')).filter(isDraining).map(({ server }) => server)).toEqual([
        'gw-1',
        'gw-2',
      ]);
      await herald.start();
      for (const { id } of gateways) await becomes(haproxy, id, 'up again', isUp, 10_000);
    }
    const opened = await connectMany(port, 60);
    expect(Object.keys(shares(opened)).sort()).toEqual(['gw-1', 'gw-2', 'gw-3']);
    for (const { socket } of opened) socket.terminate();
  });
});

/** The section of docs/haproxy.md that lets HAProxy's agent-checks fail over among Heralds. */
function agentFailover(port: number, heralds: readonly Killable[]): string {
  const doc = readFileSync('docs/haproxy.md', 'utf8');
  const section = [...doc.matchAll(/```haproxy\n([^]*?)```/g)]
    .map((match) => match[1]!)
    .find((block) => block.includes('listen herald-agents'))!;
  return heralds.reduce(
    (text, { agent, public: front }, i) =>
      text
        .replace(`10.0.0.${i + 1}:7402`, agent)
        .replace(new RegExp(`(server herald-${i + 1} .*check port )7400`), `$1${front.split(':')[1]!}`),
    section.replace('127.0.0.1:7409', `127.0.0.1:${port}`),
  );
}

describe.runIf(requireServer('haproxy'))('three Heralds', () => {
  it('one killed, then one frozen: agent-checks go on with the next', async () => {
    const heralds = await Promise.all(['herald-1', 'herald-2', 'herald-3'].map((id) => killable(id)));
    const gateways = await reportingTo(heralds, 3);
    const [agentPort, port] = (await freePorts(2)) as [number, number];
    const { text } = await ask(`${heralds[0]!.admin}/v1/haproxy.cfg?backend=chat`);
    const backend = text.replace(/agent-port \d+/, `agent-port ${agentPort}`);
    const config = `${defaults()}${frontend(port, 'chat')}${backend}${agentFailover(agentPort, heralds)}`;
    expect(config).not.toContain('10.0.0.');
    const haproxy = await started(config);
    for (const { id } of gateways) await becomes(haproxy, id, 'up', isUp, 15_000);
    const answering = async (): Promise<string[]> =>
      (await haproxy.servers('herald-agents'))
        .filter(({ status }) => status === 'UP')
        .map(({ server }) => server);
    await until('all Heralds checked', async () => (await answering()).length === 3);

    // Each change of load goes from one end to the other, so that the next can only be seen when it is followed.
    const [first, second] = gateways as [MiniGateway, MiniGateway, MiniGateway];
    const grows = async (gateway: MiniGateway): Promise<void> => {
      gateway.cpu = 0.95;
      await becomes(haproxy, gateway.id, 'lighter', ({ weight }) => weight < 40, 10_000);
    };
    const falls = async (gateway: MiniGateway): Promise<void> => {
      gateway.cpu = 0.2;
      await becomes(haproxy, gateway.id, 'back', ({ weight }) => weight > 70, 15_000);
    };
    await grows(first);
    await heralds[0]!.kill();
    await falls(first);
    expect(await answering()).toEqual(['herald-2', 'herald-3']);
    heralds[1]!.signal('SIGSTOP');
    await grows(second);
    expect(await answering()).toEqual(['herald-3']);
    heralds[1]!.signal('SIGCONT');
    await heralds[0]!.start();
    await until('the first is back', async () => (await answering())[0] === 'herald-1', 15_000);
    await falls(second);
  });

  it('lookups go to whoever is ready, and none fails when one is killed or frozen', async () => {
    const heralds = await Promise.all(['herald-1', 'herald-2', 'herald-3'].map((id) => killable(id)));
    const [port, sockets, agents] = (await freePorts(3)) as [number, number, number];
    // The file in deploy/, with the addresses of this test.
    let config = readFileSync('deploy/haproxy/haproxy.cfg', 'utf8').replace(/^global\n(?: .*\n)*/m, '');
    config = config.replace(':8400', `127.0.0.1:${port}`).replace(':8410', `127.0.0.1:${sockets}`);
    config = config.replaceAll('7409', String(agents));
    for (const [i, { public: front, agent }] of heralds.entries()) {
      config = config
        .replace(new RegExp(`server herald-${i + 1} \\S+`), `server herald-${i + 1} ${front}`)
        .replace(
          new RegExp(`server agent-${i + 1} .*`),
          `server agent-${i + 1} ${agent} check port ${front.split(':')[1]}`,
        );
    }
    const haproxy = await started(config);
    const ready = async (): Promise<string[]> =>
      (await haproxy.servers('heralds')).filter(({ status }) => status === 'UP').map(({ server }) => server);
    // No gateway has reported: no Herald is ready.
    await until('nobody is ready', async () => (await ready()).length === 0);
    await reportingTo(heralds, 2);
    await until('all are ready', async () => (await ready()).length === 3);
    // The servers of the file report to nobody here: the first Herald that is ready says so.
    await until('agent-checks are passed on', async () =>
      (await haproxy.servers('gateways')).every(({ agentStatus }) => agentStatus === 'L7STS'),
    );
    const answers: number[] = [];
    let stop = false;
    const asking = Array.from({ length: 4 }, async () => {
      while (!stop) {
        // As long as the SDK waits.
        const signal = AbortSignal.timeout(5_000);
        const answer = await fetch(`http://127.0.0.1:${port}/v1/lookup`, { signal }).catch(() => undefined);
        await answer?.arrayBuffer();
        answers.push(answer?.status ?? 0);
      }
    });
    await until('lookups', () => answers.length > 100);
    const before = answers.length;
    await heralds[1]!.kill();
    await until('the dead one is out', async () => !(await ready()).includes('herald-2'));
    await until('more lookups', () => answers.length > before + 200);
    await heralds[1]!.start();
    await until('it is back', async () => (await ready()).includes('herald-2'), 15_000);
    const frozenMs = performance.now();
    heralds[2]!.signal('SIGSTOP');
    await until('the frozen one is out', async () => !(await ready()).includes('herald-3'));
    await until('a long sleep', () => performance.now() > frozenMs + 3_000);
    heralds[2]!.signal('SIGCONT');
    await until('it goes on', async () => (await ready()).includes('herald-3'), 15_000);
    stop = true;
    await Promise.all(asking);
    expect(answers.filter((status) => status !== 200)).toEqual([]);
    const served = await haproxy.servers('heralds');
    expect(served.every(({ sessions }) => sessions > 0)).toBe(true);
  });
});
