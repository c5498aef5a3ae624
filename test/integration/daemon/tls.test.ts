// TLS at the ports of clients: what the files must be, how they change under a running server, and a whole way over it.

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, writeFileSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { WebSocket } from 'ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLog } from '../../../src/daemon/log.ts';
import { certificateEvent, followCertificate, readCertificate } from '../../../src/daemon/tls.ts';
import { CertificateFolder, HAS_OPENSSL } from '../../launch/certificate.ts';
import { startChild } from '../../launch/child.ts';
import { launchGateway } from '../../launch/gateway.ts';
import {
  ANY_PORT,
  HERALD_BIN,
  HERALD_ON_ANY_PORTS,
  startHeraldProcess,
} from '../../launch/herald-process.ts';
import { until } from '../../launch/until.ts';

describe.runIf(HAS_OPENSSL)('TLS', () => {
  let folder: CertificateFolder;
  beforeAll(() => {
    folder = new CertificateFolder();
  });
  afterAll(() => folder.remove());

  it('names the option and the file that do not fit', () => {
    const { tlsCert, tlsKey } = folder.make('one');
    const other = folder.make('other');
    const odd = join(folder.path, 'odd.pem');
    writeFileSync(odd, 'nothing of the kind');
    const missing = join(folder.path, 'missing.pem');

    expect(readCertificate({ tlsCert: '', tlsKey: '' })).toBeUndefined();
    expect(readCertificate({ tlsCert, tlsKey })?.validToMs).toBeGreaterThan(Date.now());
    expect(() => readCertificate({ tlsCert, tlsKey: '' })).toThrow(
      '--tls-cert and --tls-key belong together',
    );
    expect(() => readCertificate({ tlsCert: missing, tlsKey })).toThrow(`--tls-cert ${missing}: ENOENT`);
    expect(() => readCertificate({ tlsCert, tlsKey: missing })).toThrow(`--tls-key ${missing}: ENOENT`);
    expect(() => readCertificate({ tlsCert: odd, tlsKey })).toThrow(
      `--tls-cert ${odd}: no certificate in PEM`,
    );
    expect(() => readCertificate({ tlsCert, tlsKey: odd })).toThrow(
      `--tls-key ${odd}: no private key in PEM`,
    );
    expect(() => readCertificate({ tlsCert, tlsKey: other.tlsKey })).toThrow(
      `--tls-key ${other.tlsKey}: not the key of the first certificate in ${tlsCert}`,
    );
  });

  it('shows a new certificate once both files fit, and the old one until then', async () => {
    const files = folder.make('old');
    const next = folder.make('new', 3);
    const told: string[] = [];
    const tell = (event: string): void => void told.push(event);
    const log = { ...silentLog, info: tell, warn: tell, error: tell };
    const certificate = readCertificate(files)!;
    const { cert, key } = certificate;
    const server = createTlsServer({ cert, key });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const look = followCertificate(server, certificate, log);
    const shown = async (): Promise<unknown> => {
      const { port } = server.address() as AddressInfo;
      const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
      await once(socket, 'secureConnect');
      const name: unknown = socket.getPeerCertificate().subject.CN;
      socket.destroy();
      return name;
    };
    try {
      look();
      expect(await shown()).toBe('old');
      copyFileSync(next.tlsCert, files.tlsCert);
      look();
      look();
      expect(await shown()).toBe('old');
      copyFileSync(next.tlsKey, files.tlsKey);
      look();
      look();
      expect(await shown()).toBe('new');
      expect(certificate.validToMs).toBe(readCertificate(next)!.validToMs);
      expect(told).toEqual(['certificate-not-renewed', 'certificate-ends-soon']);
    } finally {
      server.close();
    }
  });

  it('says of a certificate that it ends soon, or that it has ended', () => {
    const DAY_MS = 86_400_000;
    expect([90, 6, 0, -1].map((days) => certificateEvent(days * DAY_MS))).toEqual([
      'certificate',
      'certificate-ends-soon',
      'certificate-ended',
      'certificate-ended',
    ]);
  });

  it('closes a gateway with clients on it, and refuses a url in the clear', async () => {
    const files = folder.make('gateway');
    await expect(launchGateway({ ...files, url: 'ws://gw-1.example.com/ws' })).rejects.toThrow(
      'with --tls-cert clients come by wss://',
    );
    const { gateway, url } = await launchGateway(files);
    expect(url).toMatch(/^wss:/);
    const client = new WebSocket(url, ['herald.v1.json'], { rejectUnauthorized: false });
    client.on('error', () => {});
    await once(client, 'open');
    const half = connectTls({
      port: Number(new URL(url).port),
      host: '127.0.0.1',
      rejectUnauthorized: false,
    });
    half.on('error', () => {});
    await once(half, 'secureConnect');
    const closed = Promise.all([once(client, 'close'), once(half, 'close')]);
    await gateway.close();
    await closed;
  });

  it('carries a lookup, a connection and a message, from processes that trust its authority', async () => {
    const { tlsCert, tlsKey } = folder.make('fleet');
    const tls = { 'tls-cert': tlsCert, 'tls-key': tlsKey };
    const env = { NODE_EXTRA_CA_CERTS: tlsCert };
    const herald = await startHeraldProcess('serve', {
      ...HERALD_ON_ANY_PORTS,
      ...tls,
    });
    const heralds = herald.addresses['control']!;
    const [broker, gateway] = await Promise.all([
      startHeraldProcess('broker', {
        heralds,
        'publish-listen': ANY_PORT,
        'subscribe-listen': ANY_PORT,
        'repair-listen': ANY_PORT,
        'http-listen': ANY_PORT,
      }),
      startHeraldProcess('gateway', {
        id: 'gw',
        listen: ANY_PORT,
        heralds,
        'shutdown-spread-ms': 100,
        ...tls,
      }),
    ]);
    const url = herald.addresses['public']!;
    expect(url).toMatch(/^https:/);
    const run = (extra: object, ...args: string[]): string =>
      execFileSync(process.execPath, [HERALD_BIN, ...args], {
        env: { ...process.env, ...extra },
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      });
    try {
      const found = await until('a lookup', () => run(env, 'lookup', '--url', url), 30_000);
      expect(found).toContain(`gw  ${gateway.addresses['ws']}`);
      const subscribe = [HERALD_BIN, 'subscribe', 'news', '--count', '1', '--url', url];
      const subscriber = startChild(process.execPath, subscribe, { env });
      await subscriber.line(/"live"/);
      run({}, 'publish', 'news', '"hello"', '--heralds', heralds);
      await subscriber.line(/"data":"hello"/);
      expect(await subscriber.exited).toBe(0);
      expect(() => run({}, 'lookup', '--url', url)).toThrow(
        /certificate .* not trusted .*NODE_EXTRA_CA_CERTS/,
      );
    } finally {
      for (const one of [gateway, broker, herald]) await one.stop();
    }
  });
});
