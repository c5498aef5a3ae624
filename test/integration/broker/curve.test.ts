// CURVE from end to end with the keys that `herald keys` prints: publisher, broker, gateway, and the bridge to
// a second cluster with keys of its own, each a process of the built program.

import { execFileSync, spawnSync } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';
import { freePorts } from '../../launch/free-port.ts';
import { TestClient } from '../../launch/gateway.ts';
import type { HeraldProcess } from '../../launch/herald-process.ts';
import {
  ANY_PORT,
  HERALD_BIN,
  HERALD_ON_ANY_PORTS,
  startHeraldProcess,
} from '../../launch/herald-process.ts';
import { until } from '../../launch/until.ts';

interface Keys {
  publicKey: string;
  secretKey: string;
}

function heraldKeys(): Keys {
  const printed = execFileSync(process.execPath, [HERALD_BIN, 'keys'], { encoding: 'utf8' });
  const key = (name: string): string =>
    JSON.parse(new RegExp(`^${name}: (".*")$`, 'm').exec(printed)![1]!) as string;
  return { publicKey: key('curvePublicKey'), secretKey: key('curveSecretKey') };
}

const running: HeraldProcess[] = [];
const clients: TestClient[] = [];
const start = async (...given: Parameters<typeof startHeraldProcess>): Promise<HeraldProcess> => {
  const started = await startHeraldProcess(...given);
  running.push(started);
  return started;
};
afterEach(async () => {
  for (const client of clients.splice(0)) client.drop();
  await Promise.all(running.splice(0).map((one) => one.stop()));
});

/** A Herald and a broker that encrypts; and what a peer of it needs in its environment. */
async function cluster(
  name: string,
  keys: Keys,
): Promise<{ control: string; lookup: string; brokers: string }> {
  const herald = await start('serve', {
    id: `${name}-herald`,
    ...HERALD_ON_ANY_PORTS,
  });
  const ports = await freePorts(3);
  const [publish, subscribe, repair] = ports.map((port) => `127.0.0.1:${port}`);
  await start(
    'broker',
    {
      id: `${name}-broker`,
      cluster: name,
      'publish-listen': publish!,
      'subscribe-listen': subscribe!,
      'repair-listen': repair!,
      'http-listen': '',
      heralds: herald.addresses['control']!,
    },
    { HERALD_CURVE_PUBLIC_KEY: keys.publicKey, HERALD_CURVE_SECRET_KEY: keys.secretKey },
  );
  const { control, public: lookup } = herald.addresses;
  return { control: control!, lookup: lookup!, brokers: `${name}-broker@127.0.0.1:${ports.join(':')}` };
}

function ownKeys(server: Keys, own: Keys): Record<string, string> {
  return {
    HERALD_BROKER_SERVER_KEY: server.publicKey,
    HERALD_CURVE_PUBLIC_KEY: own.publicKey,
    HERALD_CURVE_SECRET_KEY: own.secretKey,
  };
}

async function subscribed(gateway: HeraldProcess, topic: string): Promise<TestClient> {
  const ready = `${gateway.addresses['http']}/readyz`;
  const client = await TestClient.connect(gateway.addresses['ws']!);
  clients.push(client);
  await until('the broker', async () => {
    const { brokers } = (await (await fetch(ready)).json()) as { brokers: number };
    return brokers === 1;
  });
  await client.subscribe(topic);
  return client;
}

function publish(data: string, flags: string[], env: Record<string, string>): string {
  return execFileSync(process.execPath, [HERALD_BIN, 'publish', 'news', data, ...flags], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
}

describe('CURVE', () => {
  it('goes from the publisher to the client of another cluster, over a bridge', async () => {
    const [east, west, own] = [heraldKeys(), heraldKeys(), heraldKeys()];
    const [here, there] = await Promise.all([cluster('east', east), cluster('west', west)]);
    // One gateway is told of its brokers by Herald, the other by its configuration.
    const [eastern, western] = await Promise.all([
      start(
        'gateway',
        { id: 'gw-east', listen: ANY_PORT, heralds: here.control, 'publish-topics': '*' },
        ownKeys(east, own),
      ),
      start('gateway', { id: 'gw-west', listen: ANY_PORT, brokers: there.brokers }, ownKeys(west, own)),
      start(
        'bridge',
        {
          'from-heralds': here.control,
          'to-heralds': there.control,
          'from-server-key': east.publicKey,
          'to-server-key': west.publicKey,
        },
        { HERALD_CURVE_PUBLIC_KEY: own.publicKey, HERALD_CURVE_SECRET_KEY: own.secretKey },
      ),
    ]);
    const [near, far] = [await subscribed(eastern, 'news'), await subscribed(western, 'news')];

    publish('"near"', ['--heralds', here.control], ownKeys(east, own));
    expect(await near.messages(1)).toEqual(['near']);
    // The bridge learns within half a second that somebody over there wants it.
    await until('a message over the bridge', () => {
      publish('"far"', ['--heralds', here.control], ownKeys(east, own));
      return far.frames.some(({ d }) => d === 'far');
    });

    // A client's own publication, by the gateway's publisher.
    near.send({ op: 'pub', id: 7, c: 'news', d: 'from a client' });
    await near.next('ok', (frame) => frame['id'] === 7);
    await far.next('msg', (frame) => frame['d'] === 'from a client');
  });

  it('keeps out who has no key or the key of another broker', async () => {
    const [server, other, own] = [heraldKeys(), heraldKeys(), heraldKeys()];
    const { control, brokers } = await cluster('main', server);
    const [stranger, mistaken, right] = await Promise.all(
      [
        { id: 'gw-plain', keys: {} },
        { id: 'gw-wrong', keys: ownKeys(other, own) },
        { id: 'gw-right', keys: ownKeys(server, own) },
      ].map(({ id, keys }) => start('gateway', { id, listen: ANY_PORT, brokers }, keys)),
    );
    const heard = await subscribed(right!, 'news');
    publish('1', ['--heralds', control], ownKeys(server, own));
    expect(await heard.messages(1)).toEqual([1]);
    for (const gateway of [stranger, mistaken]) {
      const reply = (await (await fetch(`${gateway!.addresses['http']}/readyz`)).json()) as object;
      expect(reply).toMatchObject({ brokers: 0 });
    }
  });

  it('lets the canary check through with keys, and without leaves it unable to judge', async () => {
    const [server, other, own] = [heraldKeys(), heraldKeys(), heraldKeys()];
    const { control, lookup } = await cluster('main', server);
    const gateway = await start('gateway', { listen: ANY_PORT, heralds: control }, ownKeys(server, own));
    await subscribed(gateway, 'news');
    const canary = (
      env: Record<string, string>,
      timeoutMs: number,
    ): { code: number | null; line: string } => {
      const args = ['check', 'canary', '--control', control, '--url', lookup, '--timeout', String(timeoutMs)];
      const { status, stdout } = spawnSync(process.execPath, [HERALD_BIN, ...args], {
        encoding: 'utf8',
        env: { ...process.env, ...env },
      });
      return { code: status, line: stdout };
    };
    await until('the canary to pass', () => canary(ownKeys(server, own), 10_000).code === 0);
    const shut = canary({}, 1_000);
    expect(shut.line).toContain(
      'main-broker lets this check not in; where brokers encrypt, give --broker-server-key',
    );
    expect(shut.code).toBe(3);
    const mistaken = canary(ownKeys(other, own), 1_000);
    expect(mistaken.line).toContain('are the CURVE keys the right ones?');
    expect(mistaken.code).toBe(3);
  });

  it('is refused at the start when keys do not belong together', async () => {
    const { publicKey } = heraldKeys();
    await expect(
      startHeraldProcess('gateway', { listen: ANY_PORT, 'broker-server-key': publicKey }),
    ).rejects.toThrow('curvePublicKey: needed together with brokerServerKey');
    await expect(startHeraldProcess('gateway', { listen: ANY_PORT, brokers: 'b1@host:1:2' })).rejects.toThrow(
      '--brokers b1@host:1:2: expected id@host or id@host:publish:subscribe:repair',
    );
  });
});
