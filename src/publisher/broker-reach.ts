// (7) How a daemon reaches its brokers, from its configuration: a list for fleets without a Herald, or to start
// from, and the CURVE keys where brokers encrypt. What cannot work stops the start with one clear line.

import { formatAddress } from '../daemon/address.ts';
import { StartError } from '../daemon/lifecycle.ts';
import { checkCurveKey, checkCurvePair } from '../daemon/options.ts';
import type { CurveClient } from '../daemon/zeromq-options.ts';
import { ENDPOINT_WORDS, isEndpoint } from '../protocol/broker-address.ts';
import type { BrokerAddress } from '../protocol/broker-address.ts';
import { ID_PATTERN } from '../protocol/names.ts';

export interface BrokerReachConfig {
  brokers: readonly string[];
  brokerServerKey: string;
  curvePublicKey: string;
  curveSecretKey: string;
}

export interface BrokerReach {
  brokers: BrokerAddress[];
  curve?: CurveClient;
}

/** Throws a StartError that names the option. */
export function brokerReach(config: BrokerReachConfig): BrokerReach {
  const brokers = parseBrokers(config.brokers);
  const { brokerServerKey: serverKey, curvePublicKey: publicKey, curveSecretKey: secretKey } = config;
  const keys = { brokerServerKey: serverKey, curvePublicKey: publicKey, curveSecretKey: secretKey };
  const given = Object.entries(keys).filter(([, key]) => key !== '');
  if (given.length === 0) return { brokers };
  for (const [name, key] of Object.entries(keys)) {
    if (key === '') throw new StartError(`${name}: needed together with ${given[0]![0]} (\`herald keys\`)`);
  }
  checkCurveKey('brokerServerKey', serverKey);
  checkCurvePair(config);
  return { brokers, curve: { serverKey, publicKey, secretKey } };
}

/** A list of brokers from the configuration. Throws a StartError that names the bad one. */
export function parseBrokers(texts: readonly string[]): BrokerAddress[] {
  const brokers = texts.map((text) => parseBroker(text));
  const twice = brokers.find(({ id }, i) => brokers.findIndex((other) => other.id === id) < i);
  if (twice) throw new StartError(`--brokers: ${twice.id} is named twice`);
  return brokers;
}

const BROKER = /^([^@]+)@(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::(\d{1,5}):(\d{1,5}):(\d{1,5}))?$/;

/** `id@host`, with the default ports, or `id@host:publish:subscribe:repair`. */
function parseBroker(text: string): BrokerAddress {
  const [, id, v6, name, publish = '7420', subscribe = '7430', repair = '7440'] = BROKER.exec(text) ?? [];
  const host = v6 ?? name;
  if (id === undefined || host === undefined || !ID_PATTERN.test(id)) {
    throw new StartError(`--brokers ${text}: expected id@host or id@host:publish:subscribe:repair`);
  }
  const endpoint = (port: string): string => {
    const at = `tcp://${formatAddress({ host, port: Number(port) })}`;
    if (!isEndpoint(at)) throw new StartError(`--brokers ${text}: ${at} is not ${ENDPOINT_WORDS}`);
    return at;
  };
  return {
    id,
    publish: endpoint(publish),
    subscribe: endpoint(subscribe),
    repair: endpoint(repair),
    http: '',
    // Its life is not known from here; the first frame tells.
    epoch: '',
    state: 'up',
  };
}
