// The whole platform as `herald up` starts it, on a real ZooKeeper, watched by a real Prometheus and, through
// a real StatsD, by a real Graphite; and things done to it that make its rarer metrics move.

import { connect } from 'node:net';
import { request } from 'undici';
import { deriveKey, signFeedback } from '../../../src/daemon/secrets.ts';
import { every } from '../../../src/daemon/clock.ts';
import { startUp } from '../../e2e/spine/running-up.ts';
import type { RunningUp } from '../../e2e/spine/running-up.ts';
import { CertificateFolder } from '../../launch/certificate.ts';
import type { Graphite } from '../../launch/graphite.ts';
import { launchGraphite } from '../../launch/graphite.ts';
import { ANY_PORT, HERALD_ON_ANY_PORTS, startHeraldProcess } from '../../launch/herald-process.ts';
import type { Prometheus } from '../../launch/prometheus.ts';
import { launchPrometheus } from '../../launch/prometheus.ts';
import { launchStatsd } from '../../launch/statsd.ts';
import { launchZookeeper } from '../../launch/zookeeper.ts';

const SECRET = 'only for the metrics tests';

export interface Platform {
  up: RunningUp;
  graphite: Graphite;
  prometheus: Prometheus;
  stop: () => Promise<void>;
}

export async function launchPlatform(): Promise<Platform> {
  const stops: (() => unknown)[] = [];
  const stop = async (): Promise<void> => {
    for (const one of stops.splice(0).reverse()) await one();
  };
  try {
    const [graphite, zookeeper] = await Promise.all([launchGraphite(), launchZookeeper()]);
    stops.push(
      () => graphite.stop(),
      () => zookeeper.remove(),
    );
    const statsd = await launchStatsd(graphite.linePort);
    stops.push(() => statsd.stop());
    process.env['HERALD_SECRET'] = SECRET;
    const args = [
      '--bots',
      '30',
      '--no-squeeze',
      '--statsd',
      statsd.address,
      '--zookeeper',
      zookeeper.address,
    ];
    const up = await startUp(args);
    stops.push(() => up.stop());
    stops.push(keepStirring(up));
    // Back into its own cluster, which refuses what comes back: that is what it counts as lost.
    const bridge = await startHeraldProcess('bridge', {
      'from-heralds': up.controlUrl,
      'to-heralds': up.controlUrl,
      statsd: statsd.address,
    });
    stops.push(() => bridge.stop());
    // With TLS, which `herald up` does not have.
    const certificates = new CertificateFolder();
    stops.push(() => certificates.remove());
    const { tlsCert, tlsKey } = certificates.make('fleet');
    const flags = { statsd: statsd.address, 'tls-cert': tlsCert, 'tls-key': tlsKey };
    const gateway = await startHeraldProcess('gateway', { ...flags, listen: ANY_PORT });
    stops.push(() => gateway.stop());
    const herald = await startHeraldProcess('serve', { ...flags, ...HERALD_ON_ANY_PORTS });
    stops.push(() => herald.stop());
    const targets = [`127.0.0.1:${up.ports.admin}`, new URL(herald.addresses['admin']!).host];
    const prometheus = await launchPrometheus([{ job: 'herald', targets }]);
    stops.push(() => prometheus.stop());
    return { up, graphite, prometheus, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Twice a second: an agent-check, a lookup that must be refused, and the reports of an uneven pool. */
function keepStirring(up: RunningUp): () => void {
  const nonce = { value: '' };
  let seq = 0;
  return every(500, () => {
    seq += 1;
    askAgent(up.ports.agent);
    void get(`${up.publicUrl}/v1/lookup?pool=nowhere`);
    // A gateway far above its pool's mean is ordered to hand connections over, which is what moves count.
    void report(up.controlUrl, nonce, { gateway: 'scripted-hot', seq, cpu: 0.97, connections: 200 });
    void report(up.controlUrl, nonce, { gateway: 'scripted-cold', seq, cpu: 0.05, connections: 10 });
  });
}

function askAgent(port: number): void {
  const socket = connect(port, '127.0.0.1', () => socket.write('gateway-1\n'));
  socket.on('error', () => {});
  socket.resume();
}

async function get(url: string): Promise<void> {
  const reply = await request(url).catch(() => undefined);
  await reply?.body.dump();
}

/** A shell script can be a gateway: it signs with the key of its id once it knows Herald's nonce. */
async function report(
  controlUrl: string,
  nonce: { value: string },
  load: { gateway: string; seq: number; cpu: number; connections: number },
): Promise<void> {
  const { gateway } = load;
  const body = JSON.stringify({
    v: 1,
    url: `ws://127.0.0.1:9/${gateway}`,
    pool: 'scripted',
    acceptedTotal: load.connections,
    ...load,
  });
  const signature = signFeedback(deriveKey(SECRET, 'feedback', gateway), nonce.value, body);
  const reply = await request(`${controlUrl}/v1/feedback`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'herald-signature': `${gateway};${nonce.value || 'none'};${signature}`,
    },
    body,
  }).catch(() => undefined);
  const told = reply?.headers['herald-nonce'];
  if (typeof told === 'string') nonce.value = told;
  await reply?.body.dump();
}
