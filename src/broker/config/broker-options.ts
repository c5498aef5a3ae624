// The configuration of a broker. Its ports are on loopback unless told, and refused off it without CURVE keys
// (ZeroMQ) or a publish token (HTTP).

import { integer, list, secret, text } from '../../daemon/config.ts';
import { clusterOptions, commonOptions, heraldsOption, previousSecretOption } from '../../daemon/options.ts';

export const brokerOptions = {
  ...commonOptions,
  ...clusterOptions,
  id: text('broker-1', 'id of this broker, unique in the cluster'),
  publishListen: text('127.0.0.1:7420', 'host:port where publishers connect (ZeroMQ ROUTER); port 0 = any'),
  subscribeListen: text('127.0.0.1:7430', 'host:port where gateways subscribe (ZeroMQ XPUB)'),
  repairListen: text('127.0.0.1:7440', 'host:port where gateways ask for what they missed (ZeroMQ ROUTER)'),
  httpListen: text('127.0.0.1:7450', 'host:port of HTTP publish and health; empty = none'),
  advertiseHost: text(
    '',
    'host that others reach this broker by, without a port; empty = the host it listens on',
  ),
  heralds: heraldsOption,
  previousSecret: previousSecretOption,
  curvePublicKey: text('', 'CURVE public key, 40 characters (`herald keys`); empty = no encryption'),
  curveSecretKey: secret('CURVE secret key, 40 characters'),
  publishToken: secret(
    'bearer token that HTTP publishers must show; needed off loopback, with at least 16 characters',
  ),
  ringMegabytes: integer(256, 1, 65_536, 'memory for repair and resume, all buckets together'),
  ringSeconds: integer(120, 1, 3_600, 'longest time a message is kept for repair and resume'),
  brokers: list(
    [],
    'the other brokers, where no Herald names them: id@host or id@host:publish:subscribe:repair with ports',
  ),
  standbyMegabytes: integer(
    64,
    0,
    65_536,
    'memory for copies of what other brokers, or lives before, sent; 0 = none are kept',
  ),
  standbySeconds: integer(30, 1, 3_600, 'longest time such a copy is kept'),
  journal: text(
    '',
    'directory where it keeps what it sent last, for its next life (some 40 MB); empty = none is kept',
  ),
  maxTopics: integer(1_000_000, 256, 100_000_000, 'topics whose offsets are remembered'),
  drainMs: integer(1_500, 0, 60_000, 'longest wait at shutdown for gateways to have everything'),
} as const;
