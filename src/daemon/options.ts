// Options that every daemon has.

import { parseTarget } from './address.ts';
import { choice, integer, list, secret, text, urls } from './config.ts';
import { PLACE_PATTERN, PLACE_WORDS } from '../protocol/names.ts';
import { StartError } from './lifecycle.ts';
import { MIN_SECRET_CHARS } from './secrets.ts';
import { isCurveKey, isCurvePair } from './curve-keys.ts';

export const commonOptions = {
  secret: secret('cluster secret, at least 16 characters; needed as soon as a private port leaves loopback'),
  logLevel: choice(['debug', 'info', 'warn', 'error', 'silent'], 'info', 'least severe event that is logged'),
  statsd: text('', 'host:port of a StatsD receiver; empty = none'),
} as const;

/** For Heralds and brokers; gateways and bridges do not speak ZooKeeper. */
export const clusterOptions = {
  cluster: text('main', 'name of the cluster: the ZooKeeper folder and the origin of publications'),
  zookeeper: text('', 'host:port[,host:port...][/chroot] of ZooKeeper; empty = embedded store'),
  zookeeperSessionTimeoutMs: integer(6_000, 1_000, 60_000, 'session timeout asked of ZooKeeper'),
  zookeeperAuth: secret('user:password for digest authentication at ZooKeeper; empty = none'),
} as const;

/** It is a folder of ZooKeeper, and the origin in every frame of a broker: gateways would refuse them all. */
export function checkCluster(cluster: string): void {
  if (cluster === '' || !PLACE_PATTERN.test(cluster)) {
    throw new StartError(`--cluster ${cluster}: expected ${PLACE_WORDS}`);
  }
}

/** For daemons that tell Herald of themselves. */
export const previousSecretOption = secret(
  'the cluster secret before a rotation: good for tickets, and for Heralds that still have it',
);

/** Throws a StartError for what all of these daemons must have right. */
export function checkCommon({ secret: given, statsd }: { secret: string; statsd: string }): void {
  longEnough(given, '--secret');
  if (statsd !== '') parseTarget(statsd, '--statsd');
}

export function longEnough(value: string, flag: string): void {
  if (value !== '' && value.length < MIN_SECRET_CHARS) {
    throw new StartError(`${flag}: at least ${MIN_SECRET_CHARS} characters, got ${value.length}`);
  }
}

const FITS_A_HEADER = /^([\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?)?$/;

/** A bearer token travels in a header: one that a header cannot carry would keep everybody out. */
export function checkToken(value: string, flag: string): void {
  if (!FITS_A_HEADER.test(value)) {
    throw new StartError(`${flag}: expected printable ASCII characters, no space at either end`);
  }
}

/** `key`: a CURVE key; empty = none. */
export function checkCurveKey(name: string, key: string): void {
  if (key !== '' && !isCurveKey(key)) {
    throw new StartError(`${name}: expected 40 characters as \`herald keys\` prints them`);
  }
}

/** Both given, or neither. */
export function checkCurvePair(own: { curvePublicKey: string; curveSecretKey: string }): void {
  checkCurveKey('curvePublicKey', own.curvePublicKey);
  checkCurveKey('curveSecretKey', own.curveSecretKey);
  if (own.curvePublicKey === '' && own.curveSecretKey === '') return;
  if (own.curvePublicKey === '' || own.curveSecretKey === '') {
    throw new StartError('curvePublicKey and curveSecretKey belong together');
  }
  if (!isCurvePair(own.curvePublicKey, own.curveSecretKey)) {
    throw new StartError('curvePublicKey is not that of curveSecretKey; `herald keys` makes a pair');
  }
}

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
