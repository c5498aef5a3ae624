// What a broker's configuration must hold before anything is opened: addresses that parse, keys that belong
// together, and no port open to strangers.

import type { Address } from '../daemon/address.ts';
import { formatAddress, isLoopback, parseAddress } from '../daemon/address.ts';
import type { Config } from '../daemon/config.ts';
import { StartError } from '../daemon/lifecycle.ts';
import type { CurveClient, CurveKeys } from '../daemon/zeromq-options.ts';
import { CURVE_KEY_CHARS } from '../daemon/zeromq-options.ts';
import { ID_PATTERN, ID_WORDS } from '../protocol/names.ts';
import type { brokerOptions } from './broker-options.ts';

export type BrokerConfig = Config<typeof brokerOptions>;

export interface BrokerListens {
  publish: Address;
  subscribe: Address;
  repair: Address;
  http: Address | undefined;
}

/** Throws a StartError that names the option. */
export function checkConfig(config: BrokerConfig): BrokerListens {
  if (!ID_PATTERN.test(config.id)) throw new StartError(`--id ${config.id}: expected ${ID_WORDS}`);
  const listens = {
    publish: parseAddress(config.publishListen, '--publish-listen'),
    subscribe: parseAddress(config.subscribeListen, '--subscribe-listen'),
    repair: parseAddress(config.repairListen, '--repair-listen'),
    http: config.httpListen === '' ? undefined : parseAddress(config.httpListen, '--http-listen'),
  };
  for (const key of ['curvePublicKey', 'curveSecretKey'] as const) {
    if (config[key] !== '' && config[key].length !== CURVE_KEY_CHARS) {
      throw new StartError(`${key}: expected ${CURVE_KEY_CHARS} characters`);
    }
  }
  if ((config.curvePublicKey === '') !== (config.curveSecretKey === '')) {
    throw new StartError('curvePublicKey and curveSecretKey belong together');
  }
  const open = [listens.publish, listens.subscribe, listens.repair].find(({ host }) => !isLoopback(host));
  if (open && config.curvePublicKey === '') {
    throw new StartError(
      `${formatAddress(open)} leaves loopback: set curvePublicKey and curveSecretKey (\`herald keys\`)`,
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
