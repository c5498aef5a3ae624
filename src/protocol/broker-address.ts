// (7) What a broker says of itself, to Herald over HTTP and in the cluster's folder of brokers.

import type { Decoded, Fields } from './decode.ts';
import { decoding, optionalChoice, readFields, requiredText } from './decode.ts';
import type { BrokerAddress } from './load-report.ts';
import { ID_PATTERN, ID_WORDS } from './names.ts';

const ENDPOINT = /^tcp:\/\/[A-Za-z0-9._[\]:-]{1,255}:\d{1,5}$/;
const HTTP_URL = /^(https?:\/\/[A-Za-z0-9._[\]:-]{1,255}(\/[A-Za-z0-9._~%/-]{0,255})?)?$/;

/** Decodes an announcement. `http` may be empty: a broker need not take HTTP. */
export function decodeBrokerAddress(value: unknown): Decoded<BrokerAddress> {
  return decoding(() => {
    const from = readFields(value, 'broker');
    return {
      id: requiredText(from, 'id', ID_PATTERN, ID_WORDS),
      publish: endpoint(from, 'publish'),
      subscribe: endpoint(from, 'subscribe'),
      repair: endpoint(from, 'repair'),
      http: requiredText(from, 'http', HTTP_URL, 'an http:// or https:// URL, or an empty text'),
      epoch: requiredText(from, 'epoch', /^[A-Za-z0-9]{1,16}$/, '1 to 16 letters or digits'),
      state: optionalChoice(from, 'state', ['up', 'draining'] as const) ?? 'up',
    };
  });
}

function endpoint(from: Fields, field: string): string {
  return requiredText(from, field, ENDPOINT, 'a tcp://host:port endpoint');
}
