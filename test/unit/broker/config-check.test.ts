// What stops a broker, a bridge or a publisher before it opens anything: settings with which it would run, and reach nobody.

import { describe, expect, it } from 'vitest';
import { bridgeOptions, checkBridgeConfig } from '../../../src/broker/bridge/bridge-options.ts';
import { brokerOptions } from '../../../src/broker/config/broker-options.ts';
import { checkConfig } from '../../../src/broker/config/config-check.ts';
import { loadConfig } from '../../../src/daemon/config.ts';
import { parseBrokers } from '../../../src/publisher/broker-reach.ts';
import { createPublisher } from '../../../src/publisher/index.ts';
import { limitsOf } from '../../../src/publisher/publisher-options.ts';

/** Of the manual page zmq_curve(7): the pair of its server, and the public key of its client. */
const KEY = 'rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7';
const SECRET = 'JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6';
const OTHER = 'Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID';
const open = {
  publishListen: '0.0.0.0:7420',
  curvePublicKey: KEY,
  curveSecretKey: SECRET,
};
const check = (flags: Record<string, unknown>): unknown => checkConfig(loadConfig(brokerOptions, { flags }));

describe('a broker', () => {
  it.each([
    ['--cluster prod/eu', { cluster: 'prod/eu' }],
    ['--cluster my cluster', { cluster: 'my cluster' }],
    ['--cluster :', { cluster: '' }],
    ['--id my broker', { id: 'my broker' }],
    ['--advertise-host my host', { advertiseHost: 'my host' }],
    ['--advertise-host b1.example.com:7420', { advertiseHost: 'b1.example.com:7420' }],
    ['--advertise-host: needed', open],
    ['--journal: needs --standby-megabytes', { journal: '/var/lib/herald', standbyMegabytes: 0 }],
    ['--repair-listen 127.0.0.1:7430: --subscribe-listen has this port', { repairListen: '127.0.0.1:7430' }],
    ['--http-listen 0.0.0.0:7420: --publish-listen has this port', { httpListen: '0.0.0.0:7420' }],
    ['curvePublicKey: expected 40', { ...open, curvePublicKey: 'k'.repeat(39) }],
    ['curveSecretKey: expected 40', { ...open, curveSecretKey: `${'k'.repeat(39)},` }],
    ['curveSecretKey: expected 40', { ...open, curveSecretKey: '#'.repeat(40) }],
    ['belong together', { ...open, curveSecretKey: '' }],
    ['curvePublicKey is not that of curveSecretKey', { ...open, curvePublicKey: OTHER }],
  ])('does not start with %s', (message, flags) => {
    expect(() => check(flags)).toThrow(message);
  });

  it.each([
    {},
    { cluster: 'prod-eu.1' },
    { advertiseHost: 'b1.example.com' },
    { advertiseHost: '2001:db8::1' },
    { ...open, advertiseHost: '10.0.0.7' },
    { ...open, publishListen: '10.0.0.7:7420' },
    { ...open, heralds: [] },
    { journal: '/var/lib/herald', standbyMegabytes: 1 },
    { standbyMegabytes: 0 },
    {
      repairListen: '127.0.0.2:7430',
      subscribeListen: '127.0.0.1:7430',
      publishListen: '127.0.0.1:0',
      httpListen: '127.0.0.1:0',
    },
  ])('starts with %j', (flags) => {
    expect(() => check(flags)).not.toThrow();
  });
});

describe('a bridge', () => {
  const heralds = { fromHeralds: ['http://127.0.0.1:7401'], toHeralds: ['http://127.0.0.1:7501'] };
  const checkBridge = (flags: Record<string, unknown>): void =>
    checkBridgeConfig(loadConfig(bridgeOptions, { flags: { ...heralds, ...flags } }));
  const own = { curvePublicKey: KEY, curveSecretKey: SECRET };

  it.each([
    ['fromServerKey: expected 40', { ...own, fromServerKey: 'abc' }],
    ['curveSecretKey: expected 40', { ...own, toServerKey: KEY, curveSecretKey: 'abc' }],
    ['curvePublicKey, curveSecretKey: needed', { fromServerKey: KEY }],
    ['belong together', { toServerKey: KEY, curvePublicKey: KEY }],
    ['curvePublicKey is not', { ...own, toServerKey: KEY, curvePublicKey: OTHER }],
  ])('does not start with %s', (message, flags) => {
    expect(() => checkBridge(flags)).toThrow(message);
  });

  it.each([{}, { ...own, toServerKey: KEY }])('starts with %j', (flags) => {
    expect(() => checkBridge(flags)).not.toThrow();
  });
});

describe('a publisher', () => {
  it.each([
    ['a key of one character less', { serverKey: KEY.slice(1), publicKey: KEY, secretKey: SECRET }],
    ['a pair that is none', { serverKey: KEY, publicKey: OTHER, secretKey: SECRET }],
  ])('is not made with %s', async (_what, curve) => {
    await expect(createPublisher({ curve })).rejects.toThrow(/^curve: /);
  });
});

it.each([
  [{ maxQueued: Number.NaN }, 'maxQueued: NaN is not a number from 0 to '],
  [{ retainMs: -1 }, 'retainMs: -1 is not '],
  [{ maxQueuedBytes: '5' as unknown as number }, 'maxQueuedBytes: 5 is not '],
  [{ giveUpMs: Number.NaN }, 'giveUpMs: NaN is not '],
  // A timer told to wait longer than it can waits 1 ms.
  [{ giveUpMs: Infinity }, 'giveUpMs: Infinity is not a number from 0 to 2147483647'],
])('a publisher is not made with %j, which would be no limit', (options, words) => {
  expect(() => limitsOf(options)).toThrow(words);
});

it('a publisher waits for the ack of no broker longer than for a message', () => {
  expect(limitsOf({ brokers: [], giveUpMs: 300 }).ackTimeoutMs).toBe(300);
  expect(limitsOf({ brokers: [], giveUpMs: 60_000 }).ackTimeoutMs).toBe(2_000);
});

describe('--brokers', () => {
  it.each(['b1@_', 'b1@-x', 'b1@h:1:2:0', 'b1@h:1:2:65536', 'b1@[::1]:1:2', 'b 1@h', 'b1'])(
    'refuses %s',
    (text) => {
      expect(() => parseBrokers([text])).toThrow(`--brokers ${text}: `);
    },
  );
});
