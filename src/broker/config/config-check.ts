// What a broker's configuration must hold before anything is opened: addresses that parse, keys that belong
// together, and no port open to strangers.

import { isIP } from 'node:net';
import { checkZookeeperOptions } from '../../cluster/zookeeper-address.ts';
import type { Address } from '../../daemon/address.ts';
import {
  checkApart,
  checkReachable,
  formatAddress,
  isLoopback,
  isWildcard,
  parseAddress,
} from '../../daemon/address.ts';
import type { Config } from '../../daemon/config.ts';
import { StartError } from '../../daemon/lifecycle.ts';
import { checkCluster, checkCommon, checkCurvePair, checkToken, longEnough } from '../../daemon/options.ts';
import type { CurveClient, CurveKeys } from '../../daemon/zeromq-options.ts';
import { ID_PATTERN, ID_WORDS } from '../../protocol/names.ts';
import { parseBrokers } from '../../publisher/broker-reach.ts';
import type { brokerOptions } from './broker-options.ts';

export type BrokerConfig = Config<typeof brokerOptions>;

export interface BrokerListens {
  publish: Address;
  subscribe: Address;
  repair: Address;
  http: Address | undefined;
}

const HOST = /^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$/;

/** Throws a StartError that names the option. */
export function checkConfig(config: BrokerConfig): BrokerListens {
  checkCommon(config);
  longEnough(config.previousSecret, '--previous-secret');
  checkToken(config.publishToken, '--publish-token');
  checkZookeeperOptions(config);
  if (!ID_PATTERN.test(config.id)) throw new StartError(`--id ${config.id}: expected ${ID_WORDS}`);
  checkCluster(config.cluster);
  if (config.advertiseHost !== '' && isIP(config.advertiseHost) === 0 && !HOST.test(config.advertiseHost)) {
    throw new StartError(
      `--advertise-host ${config.advertiseHost}: expected a host name or address, no port`,
    );
  }
  checkReachable('--advertise-host', config.advertiseHost);
  parseBrokers(config.brokers);
  const listens = {
    publish: parseAddress(config.publishListen, '--publish-listen'),
    subscribe: parseAddress(config.subscribeListen, '--subscribe-listen'),
    repair: parseAddress(config.repairListen, '--repair-listen'),
    http: config.httpListen === '' ? undefined : parseAddress(config.httpListen, '--http-listen'),
  };
  if (config.journal !== '' && config.standbyMegabytes === 0) {
    throw new StartError('--journal: needs --standby-megabytes, the memory that its messages are read into');
  }
  if (listens.http && !isLoopback(listens.http.host)) longEnough(config.publishToken, '--publish-token');
  checkApart([
    ['--publish-listen', listens.publish],
    ['--subscribe-listen', listens.subscribe],
    ['--repair-listen', listens.repair],
    ...(listens.http ? [['--http-listen', listens.http] as const] : []),
  ]);
  checkCurvePair(config);
  const bound = [listens.publish, listens.subscribe, listens.repair];
  const open = bound.find(({ host }) => !isLoopback(host));
  if (open && config.curvePublicKey === '') {
    throw new StartError(
      `${formatAddress(open)} leaves loopback: set curvePublicKey and curveSecretKey (\`herald keys\`)`,
    );
  }
  const isAnnounced = config.heralds.length > 0 || config.zookeeper !== '';
  const everywhere = bound.find(({ host }) => isWildcard(host));
  if (everywhere && isAnnounced && config.advertiseHost === '') {
    throw new StartError(
      `--advertise-host: needed, since nobody elsewhere reaches ${formatAddress(everywhere)}`,
    );
  }
  if (listens.http && !isLoopback(listens.http.host) && config.publishToken === '') {
    throw new StartError(`--http-listen ${config.httpListen} leaves loopback: set publishToken`);
  }
  return listens;
}

export function serverKeys(config: BrokerConfig): CurveKeys | undefined {
  if (config.curvePublicKey === '') return undefined;
  return { publicKey: config.curvePublicKey, secretKey: config.curveSecretKey };
}

/** How a broker reaches its peers: all brokers of a cluster share one pair. */
export function peerKeys(config: BrokerConfig): CurveClient | undefined {
  const keys = serverKeys(config);
  return keys && { ...keys, serverKey: keys.publicKey };
}
