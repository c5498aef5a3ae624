// Options that every daemon has.

import { choice, integer, list, secret, text, urls } from './config.ts';

export const commonOptions = {
  cluster: text('main', 'name of the cluster: the ZooKeeper folder and the origin of publications'),
  secret: secret('cluster secret, at least 16 characters; needed as soon as a private port leaves loopback'),
  logLevel: choice(['debug', 'info', 'warn', 'error', 'silent'], 'info', 'least severe event that is logged'),
  statsd: text('', 'host:port of a StatsD receiver; empty = none'),
  zookeeper: text('', 'host:port[,host:port...][/chroot] of ZooKeeper; empty = embedded store'),
  zookeeperSessionTimeoutMs: integer(6_000, 1_000, 60_000, 'session timeout asked of ZooKeeper'),
  zookeeperAuth: secret('user:password for digest authentication at ZooKeeper; empty = none'),
} as const;

/** For daemons that tell Herald of themselves. */
export const previousSecretOption = secret(
  'the cluster secret before a rotation: good for tickets, and for Heralds that still have it',
);

/** For daemons that reach brokers: where they are without a Herald, and the keys of those that encrypt. */
export const brokerReachOptions = {
  brokers: list(
    [],
    'brokers to start from: id@host, or id@host:publish:subscribe:repair with ports; a list from Herald replaces it',
  ),
  brokerServerKey: text('', 'CURVE public key of the brokers, where they encrypt; empty = no encryption'),
  curvePublicKey: text('', 'own CURVE public key, 40 characters (`herald keys`)'),
  curveSecretKey: secret('own CURVE secret key, 40 characters'),
} as const;

/** For daemons that talk to Herald. */
export const heraldsOption = urls(
  ['http://127.0.0.1:7401'],
  'control URLs of Heralds to start from; the full list comes back in their replies',
);
