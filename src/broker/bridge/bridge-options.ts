// The configuration of a bridge: it brings to one cluster what is first published in another.

import { secret, text, urls } from '../../daemon/config.ts';
import type { Config } from '../../daemon/config.ts';
import { StartError } from '../../daemon/lifecycle.ts';
import { parseTarget } from '../../daemon/address.ts';
import { checkCurveKey, checkCurvePair, commonOptions } from '../../daemon/options.ts';
import { ID_PATTERN, ID_WORDS } from '../../protocol/names.ts';

export const bridgeOptions = {
  logLevel: commonOptions.logLevel,
  statsd: commonOptions.statsd,
  id: text('bridge-1', 'id of this bridge, for its log and metrics'),
  fromHeralds: urls([], 'control URLs of Heralds of the cluster to read from'),
  toHeralds: urls([], 'control URLs of Heralds of the cluster to bring it to'),
  curvePublicKey: text('', 'own CURVE public key, where brokers encrypt; empty = no encryption'),
  curveSecretKey: secret('own CURVE secret key'),
  fromServerKey: text('', 'CURVE public key of the brokers read from'),
  toServerKey: text('', 'CURVE public key of the brokers written to'),
} as const;

/** Throws a StartError that names the option. */
export function checkBridgeConfig(config: Config<typeof bridgeOptions>): void {
  if (config.fromHeralds.length === 0) throw new StartError('--from-heralds: name at least one');
  if (config.toHeralds.length === 0) throw new StartError('--to-heralds: name at least one');
  if (!ID_PATTERN.test(config.id)) throw new StartError(`--id ${config.id}: expected ${ID_WORDS}`);
  if (config.statsd !== '') parseTarget(config.statsd, '--statsd');
  const { fromServerKey, toServerKey } = config;
  for (const [name, key] of Object.entries({ fromServerKey, toServerKey })) checkCurveKey(name, key);
  checkCurvePair(config);
  if (config.curvePublicKey === '' && (fromServerKey !== '' || toServerKey !== '')) {
    throw new StartError('curvePublicKey, curveSecretKey: needed where brokers encrypt (`herald keys`)');
  }
}
