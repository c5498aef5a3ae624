// Each alert on its cause: a real Prometheus with the rules as shipped, only less patient, watches a Herald to which each
// of these things is done.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { every } from '../../../src/daemon/clock.ts';
import type { LookupReply } from '../../../src/protocol/lookup.ts';
import { CertificateFolder, HAS_OPENSSL } from '../../launch/certificate.ts';
import type { HeraldProcess } from '../../launch/herald-process.ts';
import { ANY_PORT, HERALD_ON_ANY_PORTS, startHeraldProcess } from '../../launch/herald-process.ts';
import type { Prometheus } from '../../launch/prometheus.ts';
import { launchPrometheus } from '../../launch/prometheus.ts';
import { requireServer } from '../../launch/require-server.ts';
import { giveAway, ownFolder } from '../../launch/unprivileged.ts';
import { until } from '../../launch/until.ts';
import { launchZookeeper } from '../../launch/zookeeper.ts';

const RULES = resolve(import.meta.dirname, '../../../grafana/prometheus/herald.rules.yaml');
const DEADLINE_MS = 40_000;
/** A false alarm is raised within it. */
const QUIET_MS = 4_000;

interface Rules {
  groups: { rules: { alert: string; expr: string; for: string }[] }[];
}
const rules = parse(readFileSync(RULES, 'utf8')) as Rules;
for (const rule of rules.groups.flatMap((group) => group.rules)) {
  rule.for = '1s';
  rule.expr = rule.expr.replaceAll('[1m]', '[5s]');
}

const canRun = requireServer('prometheus') && requireServer('zookeeper') && HAS_OPENSSL;

describe.runIf(canRun)('each alert fires on its cause', () => {
  const stops: (() => unknown)[] = [];
  const load = new Map(['g1', 'g2', 'g3', 'g4', 'g5'].map((gateway) => [gateway, 0.1]));
  const brokers: HeraldProcess[] = [];
  const trusting = new Agent({ connect: { rejectUnauthorized: false } });
  let herald: HeraldProcess;
  let zookeeper: Awaited<ReturnType<typeof launchZookeeper>>;
  let prometheus: Prometheus;
  let stopReports: () => void;
  let snapshots: string;
  const seen = new Set<string>();

  const firing = async (): Promise<string[]> =>
    (await prometheus.query('ALERTS{alertstate="firing"}')).map(({ metric }) => metric['alertname']!);
  const fires = async (alert: string): Promise<void> => {
    await until(alert, async () => (await firing()).includes(alert), DEADLINE_MS, 200);
    seen.add(alert);
  };
  const lookup = async (query: string): Promise<LookupReply | undefined> => {
    const reply = await request(`${herald.addresses['public']}/v1/lookup?${query}`, { dispatcher: trusting });
    if (reply.statusCode === 200) return (await reply.body.json()) as LookupReply;
    await reply.body.dump();
    return undefined;
  };
  const brokersUp = (count: number): Promise<unknown> =>
    until(`${count} brokers`, async () => {
      const [up] = await prometheus.query('herald_brokers{state="up"}');
      return up?.value[1] === String(count);
    });
  const steer = async (state: 'maint' | 'ready'): Promise<void> => {
    for (const gateway of load.keys()) {
      const url = `${herald.addresses['admin']}/v1/gateways/${gateway}/${state}`;
      const headers = { 'content-type': 'application/json' };
      expect((await fetch(url, { method: 'POST', headers, body: '{"reason":"test"}' })).status).toBe(200);
    }
  };

  beforeAll(async () => {
    const certificates = new CertificateFolder();
    stops.push(() => certificates.remove());
    const { tlsCert, tlsKey } = certificates.make('herald', 3);
    zookeeper = await launchZookeeper();
    snapshots = ownFolder('herald-snapshots-');
    stops.push(() => zookeeper.remove());
    herald = await startHeraldProcess('serve', {
      ...HERALD_ON_ANY_PORTS,
      zookeeper: zookeeper.address,
      'snapshot-file': join(snapshots, 'table.json'),
      'tls-cert': tlsCert,
      'tls-key': tlsKey,
    });
    stops.push(() => herald.stop());
    for (const id of ['b1', 'b2', 'b3']) {
      const broker = await startHeraldProcess('broker', {
        id,
        heralds: herald.addresses['control']!,
        'publish-listen': ANY_PORT,
        'subscribe-listen': ANY_PORT,
        'repair-listen': ANY_PORT,
        'http-listen': '',
      });
      stops.push(() => broker.stop());
      brokers.push(broker);
    }
    let seq = 0;
    stopReports = every(250, () => {
      seq += 1;
      const reports = Array.from(load, ([gateway, cpu]) => {
        return { v: 1, gateway, url: `ws://127.0.0.1:9/${gateway}`, bootId: 'b', seq, cpu, connections: 100 };
      });
      void request(`${herald.addresses['control']}/v1/feedback`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(reports),
      }).then(
        (reply) => reply.body.dump(),
        () => {},
      );
    });
    stops.push(() => stopReports());
    const folder = ownFolder('herald-rules-');
    writeFileSync(join(folder, 'rules.yaml'), stringify(rules));
    giveAway(folder);
    const target = new URL(herald.addresses['admin']!).host;
    prometheus = await launchPrometheus([{ job: 'herald', targets: [target] }], [join(folder, 'rules.yaml')]);
    stops.push(() => prometheus.stop());
  }, 60_000);
  afterAll(async () => {
    for (const stop of stops.reverse()) await stop();
  }, 30_000);

  it('on a certificate that ends within the week, and no other one', async () => {
    await fires('HeraldCertificateEnds');
    await brokersUp(3);
    await until('quiet', async () => (await firing()).length === 1, DEADLINE_MS);
  });

  it('on one gateway that is far above the others', async () => {
    load.set('g1', 0.97);
    await Promise.all([fires('HeraldGatewayOverloaded'), fires('HeraldUneven')]);
    load.set('g1', 0.1);
  });

  it('on lookups that are refused', async () => {
    const stop = every(100, () => void lookup('pool=nowhere'));
    await fires('HeraldRefusing');
    stop();
  });

  it('on a gateway that clients do not get into', async () => {
    const stop = every(20, () => {
      void lookup('').then((pick) => {
        if (pick?.gateway === 'g2') void lookup(`exclude=g2&failed=${pick.ticket}`);
      });
    });
    await fires('HeraldBreakerOpen');
    stop();
  });

  it('on a snapshot file that cannot be written', async () => {
    rmSync(snapshots, { recursive: true });
    await fires('HeraldDegraded');
  });

  it('on a broker that was killed and not on one that was stopped, and on the last one', async () => {
    await brokers[2]!.stop();
    await brokersUp(2);
    await sleep(QUIET_MS);
    expect(await firing()).not.toContain('HeraldBrokerGone');
    await brokers[0]!.kill();
    await fires('HeraldBrokerGone');
    expect(await firing()).not.toContain('HeraldNoBroker');
    await brokers[1]!.kill();
    await fires('HeraldNoBroker');
  });

  it('on a store that was killed', async () => {
    await zookeeper.kill();
    await fires('HeraldStoreAway');
  });

  it('on a Herald that gets half of a core', async () => {
    const starved = new AbortController();
    const starving = (async () => {
      while (!starved.signal.aborted) {
        herald.signal('SIGSTOP');
        await sleep(150);
        herald.signal('SIGCONT');
        await sleep(150);
      }
    })();
    await fires('HeraldSlow');
    starved.abort();
    await starving;
  });

  it('on a fleet that operators have taken out', async () => {
    await steer('maint');
    await fires('HeraldNoGateway');
    await steer('ready');
  });

  it('on gateways that all fall silent at once', async () => {
    await until(
      'the gateways to be back',
      async () => !(await firing()).includes('HeraldNoGateway'),
      DEADLINE_MS,
    );
    stopReports();
    await Promise.all([fires('HeraldTableFrozen'), fires('HeraldReportsLate')]);
  });

  it('on a Herald that was killed', async () => {
    await herald.kill();
    await fires('HeraldDown');
  });

  it('and there is no other one', () => {
    const all = rules.groups.flatMap((group) => group.rules.map(({ alert }) => alert));
    expect([...seen].sort()).toEqual(all.sort());
  });
});
