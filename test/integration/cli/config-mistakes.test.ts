// A configuration with a mistake in it, as `herald config check` shows it.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Ended } from './run-herald.ts';
import { herald } from './run-herald.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'herald-cli-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

// Nearly all the time is that of starting Node: several at once.
describe.concurrent('a configuration file', () => {
  let files = 0;
  const check = (daemon: string, content: string): Promise<Ended> => {
    const file = join(folder, `${daemon}-${++files}.yaml`);
    writeFileSync(file, content);
    return herald(['config', 'check', daemon, file]);
  };

  it('with an unknown key is refused with the nearest one', async () => {
    const { code, stderr } = await check('serve', 'publicListn: 127.0.0.1:1\n');
    expect(stderr).toMatch(
      /^herald: .*serve-\d+\.yaml: unknown key publicListn; did you mean publicListen\?\n$/,
    );
    expect(code).toBe(1);
  });

  it.each([
    ['serve', 'adminListen: 0.0.0.0:7403\n', /leaves loopback: set --admin-token/],
    ['serve', 'adminToken: größe größe größe\n', /^herald: --admin-token: expected printable ASCII/],
    ['gateway', 'adminToken: "a token with a space "\n', /^herald: --admin-token: expected printable ASCII/],
    ['broker', 'publishToken: größe größe größe\n', /^herald: --publish-token: expected printable ASCII/],
    ['serve', 'poolPolicies: [video]\n', /--pool-policies video: expected pool=policy/],
    ['serve', 'secret: short\n', /--secret: at least 16 characters, got 5/],
    ['serve', 'controlUrl: 10.0.0.1:7401\n', /--control-url 10\.0\.0\.1:7401: expected an http/],
    [
      'serve',
      'corsOrigins: [https://app.example.com/]\n',
      /corsOrigins: .* is not a list of origins such as/,
    ],
    ['serve', 'allowedUrls: [gw.example.com]\n', /allowedUrls: .* is not a list of ws:\/\/ or wss:\/\/ URLs/],
    ['gateway', 'origins: [app.example.com]\n', /origins: .* is not a list of origins such as/],
    ['gateway', 'origins: [https://App.example.com]\n', /origins: .* in lower case/],
    ['serve', 'corsOrigins: [https://app.example.com:443]\n', /corsOrigins: .* no default port/],
    ['serve', 'id: a b\n', /--id a b: expected an id/],
    [
      'serve',
      'zookeeper: bad host\n',
      /--zookeeper bad host: ZooKeeper server "bad host": expected host:port/,
    ],
    ['serve', 'cluster: a/b\n', /--cluster a\/b: expected a name of/],
    ['serve', 'helpshift: [/nowhere.yml]\n', /--helpshift \/nowhere.yml: ENOENT/],
    ['broker', 'statsd: nonsense\n', /--statsd nonsense: expected host:port/],
    ['gateway', 'pool: a b\n', /--pool: received "a b", expected a name/],
    ['gateway', 'labels: [a b=c]\n', /--labels: received "a b", expected keys of/],
    ['gateway', 'secret: short\n', /--secret: at least 16 characters, got 5/],
    [
      'gateway',
      'listen: 0.0.0.0:7410\nheralds: [http://10.0.0.1:7401]\n',
      /--url: needed, since nobody elsewhere opens ws:\/\/127\.0\.0\.1:7410\/ws/,
    ],
    [
      'serve',
      'agentAllow: [10.0.0.7/]\n',
      /--agent-allow 10\.0\.0\.7\/: expected an IP address or address\/bits/,
    ],
    ['serve', 'agentPorts: [" =gw-1"]\n', /--agent-ports .*: expected port=gateway/],
    ['serve', 'agentPorts: ["0x1F=gw-1"]\n', /--agent-ports 0x1F=gw-1: 0x1F is not a port/],
    ['serve', 'agentAddress: 0.0.0.0:7402\n', /--agent-address: nobody elsewhere reaches 0\.0\.0\.0/],
    ['serve', 'poolPolicies: [a b=p2c]\n', /--pool-policies a b: expected a name of/],
    ['serve', 'controlUrl: http://u:p@h:1\n', /--control-url http:\/\/\[hidden\]@h:1: expected an http/],
    ['serve', 'controlUrl: http://[::]:7401\n', /--control-url: nobody elsewhere reaches \[::\]/],
    [
      'serve',
      'snapshotFile: table.json\nrecordFile: ./table.json\n',
      /--record-file .*: --snapshot-file has this/,
    ],
    ['serve', 'helpshift: [.gitignore]\n', /--helpshift \.gitignore: expected keys and values/],
    ['serve', 'statsd: h:0\n', /--statsd h:0: expected host:port with a port from 1/],
    ['gateway', 'url: ws://0.0.0.0:7410/ws\n', /--url: nobody elsewhere reaches 0\.0\.0\.0/],
    ['gateway', 'brokers: [b1]\n', /--brokers b1: expected id@host/],
    ['gateway', 'brokerServerKey: x\n', /curvePublicKey: needed together with brokerServerKey/],
    ['gateway', 'listen: 0.0.0.0:7410\nadminToken: short\n', /--admin-token: at least 16 characters, got 5/],
    [
      'broker',
      'httpListen: 0.0.0.0:7450\npublishToken: short\n',
      /--publish-token: at least 16 characters, got 5/,
    ],
    ['broker', 'brokers: [b1]\n', /--brokers b1: expected id@host/],
    ['broker', 'advertiseHost: 0.0.0.0\n', /--advertise-host: nobody elsewhere reaches 0\.0\.0\.0/],
    ['gateway', 'tickets: required\n', /--tickets required needs --secret/],
    ['gateway', 'heralds: [nonsense]\n', /heralds: \["nonsense"\] is not a list of http/],
    [
      'gateway',
      'lookupUrls: [herald.example.com]\n',
      /lookupUrls: \["herald.example.com"\] is not a list of http/,
    ],
    ['broker', 'publishListen: 0.0.0.0:7420\n', /leaves loopback: set curvePublicKey/],
    ['bridge', 'fromHeralds: []\ntoHeralds: []\n', /--from-heralds: name at least one/],
  ])('of %s is checked as the daemon checks it: %j', async (daemon, content, expected) => {
    const { code, stderr } = await check(daemon, content);
    expect(stderr).toMatch(expected);
    expect([code, stderr.includes('    at ')]).toEqual([1, false]);
  });

  it.each([
    ['gateway', 'adminToken: short\n'],
    ['broker', 'publishToken: short\n'],
  ])('of %s may have a short token where it stays on loopback', async (daemon, content) => {
    expect(await check(daemon, content)).toMatchObject({ code: 0, stderr: '' });
  });

  it('is checked with the secrets of the environment, where they belong', async () => {
    const file = join(folder, 'open.yaml');
    writeFileSync(file, 'controlListen: 0.0.0.0:7401\n');
    const { code, stderr } = await herald(['config', 'check', 'serve', file], {
      HERALD_SECRET: 'sixteen characters',
    });
    expect([code, stderr]).toEqual([0, '']);
  });

  it('is checked with a warning of variables that nobody reads and somebody meant', async () => {
    const file = join(folder, 'plain.yaml');
    writeFileSync(file, '');
    const { code, stderr } = await herald(['config', 'check', 'serve', file], {
      HERALD_TOKN: 'x',
      HERALD_CONTROL_LISTN: '127.0.0.1:1',
      HERALD_TOKEN: 'x',
      HERALD_MAX_TOPICS: '10',
      HERALD_PROMETHEUS_URL: 'x',
      HERALD_GRAPHITE_URL: 'x',
    });
    expect(stderr.trim().split('\n').sort()).toEqual([
      'herald: warning: nothing reads HERALD_CONTROL_LISTN; did you mean HERALD_CONTROL_LISTEN?',
      'herald: warning: nothing reads HERALD_TOKN; did you mean HERALD_TOKEN?',
    ]);
    expect(code).toBe(0);
  });

  it('is checked with a warning of folders that nobody makes', async () => {
    const missing = join(folder, 'missing');
    const content = `snapshotFile: ${missing}/table.json\nrecordFile: ${folder}/traffic`;
    expect(await check('serve', content)).toMatchObject({
      code: 0,
      stderr: `herald: warning: snapshotFile: there is no folder ${missing}, and the daemon makes none\n`,
    });
  });

  it('is checked with a warning of ages that leave gateways stale between their reports, or never', async () => {
    const { code, stderr } = await check('serve', 'periodMs: 5000\nexpireAfterMs: 2000\n');
    expect(stderr.trim().split('\n')).toEqual([
      'herald: warning: staleAfterMs 2000: less than twice periodMs 5000, so one late report makes a gateway stale',
      'herald: warning: expireAfterMs 2000: not above staleAfterMs 2000, so no gateway is ever stale',
    ]);
    expect(code).toBe(0);
  });

  it('is checked with a warning of prefixes written as patterns', async () => {
    const { code, stderr } = await check(
      'gateway',
      'publishTopics: [chat.*]\nlastValueTopics: ["*"]\ntopicMaxWaitMs: [prices.*=20]\n',
    );
    expect(stderr.trim().split('\n')).toEqual([
      'herald: warning: topicMaxWaitMs: prices.* fits only topics with that asterisk; a prefix ends without one',
      'herald: warning: publishTopics: chat.* fits only topics with that asterisk; a prefix ends without one',
    ]);
    expect(code).toBe(0);
  });

  it('is checked with a warning of limits that let newcomers in before those who come back', async () => {
    expect(await check('serve', 'admitReturningScore: 0.5\n')).toMatchObject({
      code: 0,
      stderr:
        'herald: warning: admitReturningScore 0.5: below admitScore 0.9, so clients that come back are refused before newcomers\n',
    });
  });

  it('that is good says so', async () => {
    expect(await check('serve', 'policy: p2c\n')).toMatchObject({ code: 0, stderr: '' });
  });
});
