// The configuration of a bridge: it brings to one cluster what is first published in another.

import { list, secret, text } from '../daemon/config.ts';
import { commonOptions } from '../daemon/options.ts';

export const bridgeOptions = {
  ...commonOptions,
  id: text('bridge-1', 'id of this bridge, for its log and metrics'),
  fromHeralds: list([], 'control URLs of Heralds of the cluster to read from'),
  toHeralds: list([], 'control URLs of Heralds of the cluster to bring it to'),
  curvePublicKey: text('', 'own CURVE public key, where brokers encrypt; empty = no encryption'),
  curveSecretKey: secret('own CURVE secret key'),
  fromServerKey: text('', 'CURVE public key of the brokers read from'),
  toServerKey: text('', 'CURVE public key of the brokers written to'),
} as const;
