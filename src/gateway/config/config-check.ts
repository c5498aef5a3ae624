// (8) The configuration as the gateway works with it; what cannot work stops the start with one clear line.

import type { Address } from '../../daemon/address.ts';
import {
  checkReachable,
  formatAddress,
  isLoopback,
  isWildcard,
  leadsHere,
  parseAddress,
  reachable,
} from '../../daemon/address.ts';
import { StartError } from '../../daemon/lifecycle.ts';
import { checkCommon, checkToken, longEnough } from '../../daemon/options.ts';
import { MIN_SECRET_CHARS } from '../../daemon/secrets.ts';
import type { Certificate } from '../../daemon/tls.ts';
import { readCertificate } from '../../daemon/tls.ts';
import { hideCredentials, refusalText } from '../../protocol/decode.ts';
import { decodeLoadReport } from '../../protocol/load-report.ts';
import { ID_PATTERN, ID_WORDS, isGatewayUrl } from '../../protocol/names.ts';
import type { BrokerReach } from '../../publisher/broker-reach.ts';
import { brokerReach } from '../../publisher/broker-reach.ts';
import { parsePairs } from '../core/label-pairs.ts';
import { parseNumberRules, TopicRules } from '../core/topic-rules.ts';
import type { GatewayConfig } from './gateway-options.ts';

export interface CheckedConfig {
  listen: Address;
  /** Of TLS at `listen`. */
  certificate: Certificate | undefined;
  reach: BrokerReach;
  /** Of a topic, by its longest prefix. */
  maxWaitMs: TopicRules<number>;
  sendsLast: TopicRules<boolean>;
}

/** Handshakes and health questions beside the clients that are in. */
const EXTRA_SOCKETS = 1_000;

/** What the descriptors of this process allow, with `room` for connections: clients, and with those on their way. */
export function socketLimits(
  maxConnections: number,
  room: number,
): { maxConnections: number; maxSockets: number } {
  const extra = Math.min(EXTRA_SOCKETS, Math.floor(room / 8));
  const clients = Math.min(maxConnections, room - extra);
  return { maxConnections: clients, maxSockets: clients + extra };
}

export function checkConfig(config: GatewayConfig): CheckedConfig {
  const listen = parseAddress(config.listen, '--listen');
  if (config.id !== '' && !ID_PATTERN.test(config.id)) {
    throw new StartError(`--id ${config.id}: expected ${ID_WORDS}`);
  }
  if (config.url !== '' && !isGatewayUrl(config.url)) {
    throw new StartError(
      `--url ${hideCredentials(config.url)}: expected a ws:// or wss:// URL without credentials`,
    );
  }
  if (config.url !== '') checkReachable('--url', new URL(config.url).hostname);
  if (config.url === '' && isWildcard(listen.host) && !config.heralds.every(leadsHere)) {
    throw new StartError(
      `--url: needed, since nobody elsewhere opens ${gatewayUrl(config, listen, listen.port)}`,
    );
  }
  const certificate = readCertificate(config);
  if (certificate && config.url.startsWith('ws:')) {
    throw new StartError(`--url ${config.url}: with --tls-cert clients come by wss://`);
  }
  checkCommon(config);
  longEnough(config.previousSecret, '--previous-secret');
  if (!isLoopback(listen.host)) longEnough(config.adminToken, '--admin-token');
  checkToken(config.adminToken, '--admin-token');
  checkPlace(config);
  if (config.tickets === 'required' && config.secret.length < MIN_SECRET_CHARS) {
    throw new StartError(`--tickets required needs --secret, at least ${MIN_SECRET_CHARS} characters`);
  }
  if (config.softBufferBytes > config.hardBufferBytes) {
    throw new StartError('--soft-buffer-bytes is above --hard-buffer-bytes');
  }
  const waits = parseNumberRules(config.topicMaxWaitMs, 0, 10_000);
  if (!waits) throw new StartError('--topic-max-wait-ms: expected prefix=ms, with 0 to 10000 ms');
  return {
    listen,
    certificate,
    reach: brokerReach(config),
    maxWaitMs: new TopicRules(waits, config.maxWaitMs),
    sendsLast: new TopicRules(
      config.lastValueTopics.map((prefix) => [prefix === '*' ? '' : prefix, true] as const),
      false,
    ),
  };
}

/** What stops no start and is hardly meant, each as a line. */
export function configDoubts({ topicMaxWaitMs, lastValueTopics, publishTopics }: GatewayConfig): string[] {
  const waits = topicMaxWaitMs.map((rule) => rule.slice(0, rule.lastIndexOf('=')));
  return Object.entries({ topicMaxWaitMs: waits, lastValueTopics, publishTopics }).flatMap(
    ([key, prefixes]) =>
      prefixes
        .filter((prefix) => prefix.length > 1 && prefix.endsWith('*'))
        .map((prefix) => `${key}: ${prefix} fits only topics with that asterisk; a prefix ends without one`),
  );
}

/** Refuses what every Herald would refuse in a report, by the same decoder. */
function checkPlace({ pool, zone, labels }: GatewayConfig): void {
  const odd = labels.find((item) => !item.includes('='));
  if (odd !== undefined) throw new StartError(`--labels ${odd}: expected key=value`);
  const report = { v: 1, gateway: 'gateway', url: 'ws://gateway/ws', seq: 0, cpu: 0 };
  const decoded = decodeLoadReport({ ...report, pool, zone, labels: parsePairs(labels) });
  if (!decoded.ok) throw new StartError(`--${refusalText(decoded.refusal)}`);
}

/** The name and URL that follow from the address when none is given. */
export function gatewayId(config: GatewayConfig, bound: string): string {
  if (config.id !== '') return config.id;
  // Every machine has the wildcard address: there the machine's own name tells gateways apart.
  const { host, port } = reachable(parseAddress(bound, '--listen'));
  return `${host}-${port}`.replace(/[^A-Za-z0-9]+/g, '-').replace(/^-+/, '');
}

export function gatewayUrl(config: GatewayConfig, listen: Address, boundPort: number): string {
  if (config.url !== '') return config.url;
  // The wildcard address is not one that anybody can open.
  const host = isWildcard(listen.host) ? '127.0.0.1' : listen.host;
  return `${config.tlsCert === '' ? 'ws' : 'wss'}://${formatAddress({ host, port: boundPort })}/ws`;
}
