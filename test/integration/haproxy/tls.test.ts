// HAProxy before gateways that speak TLS, with the configuration that Herald writes.

import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { haproxyConfig } from '../../../src/herald/haproxy/index.ts';
import { CertificateFolder, HAS_OPENSSL } from '../../launch/certificate.ts';
import { freePorts } from '../../launch/free-port.ts';
import { launchGateway } from '../../launch/gateway.ts';
import { launchHaproxy } from '../../launch/haproxy.ts';
import { requireServer } from '../../launch/require-server.ts';
import { until } from '../../launch/until.ts';
import { defaults, frontend } from './rig.ts';

describe.runIf(requireServer('haproxy') && HAS_OPENSSL)('HAProxy before a gateway with TLS', () => {
  let folder: CertificateFolder;
  beforeAll(() => {
    folder = new CertificateFolder();
  });
  afterAll(() => folder.remove());

  /** Of a server at localhost whose certificate is good for `place`. */
  async function proxied(
    name: string,
    place: string,
  ): Promise<{ port: number; status: () => Promise<string> }> {
    const files = folder.make(name, 30, place);
    const gateway = await launchGateway({ ...files, listen: 'localhost:0' });
    onTestFinished(() => gateway.gateway.close());
    const gateways = [{ gateway: 'gw-1', url: `wss://localhost:${gateway.port}/ws` }];
    const [port = 0, nobody = 0] = await freePorts(2);
    const backend = haproxyConfig({ backend: 'chat', agent: `127.0.0.1:${nobody}`, gateways });
    const trusting = backend.replace('@system-ca', files.tlsCert);
    const haproxy = await launchHaproxy(`${defaults()}\n${frontend(port, 'chat')}\n${trusting}`);
    onTestFinished(() => haproxy.stop());
    return { port, status: async () => (await haproxy.servers('chat'))[0]?.status ?? '' };
  }

  it('reaches it', async () => {
    const { port, status } = await proxied('right', 'DNS:localhost');
    await until('the server to be up', async () => (await status()).startsWith('UP'));
    const client = new WebSocket(`ws://127.0.0.1:${port}/ws`, ['herald.v1.json']);
    onTestFinished(() => client.terminate());
    await once(client, 'open');
    expect(client.protocol).toBe('herald.v1.json');
  });

  it('takes no certificate that is for another', async () => {
    const { status } = await proxied('wrong', 'DNS:elsewhere.example.com');
    await until('the server to be down', async () => (await status()) === 'DOWN', 15_000);
  });
});
