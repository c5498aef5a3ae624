// How a Herald announces itself to the others: where gateways push to it and operators find it.

import type { Decoded } from '../../protocol/decode.ts';
import {
  decodeJson,
  decoding,
  optionalNumber,
  optionalText,
  readFields,
  requiredText,
} from '../../protocol/decode.ts';
import { BASE_URL_PATTERN, BASE_URL_WORDS, ID_PATTERN, ID_WORDS } from '../../protocol/names.ts';

export interface HeraldAddress {
  id: string;
  /** Base URL gateways push load reports to. */
  control: string;
  /** Base URL of lookups. */
  public: string;
  /** Base URL of the admin port, empty when it is not to be reached from elsewhere. */
  admin: string;
  /** `host:port` of the agent-check listener, empty when there is none. */
  agent: string;
  startedEpochMs: number;
}

export function encodeHeraldAddress(address: HeraldAddress): string {
  const { id, control, admin, agent, startedEpochMs } = address;
  return JSON.stringify({ id, control, public: address.public, admin, agent, started: startedEpochMs });
}

export function decodeHeraldAddress(text: string): Decoded<HeraldAddress> {
  const json = decodeJson(text, 'herald');
  if (!json.ok) return json;
  return decoding(() => {
    const from = readFields(json.value, 'herald');
    return {
      id: requiredText(from, 'id', ID_PATTERN, ID_WORDS),
      control: requiredText(from, 'control', BASE_URL_PATTERN, BASE_URL_WORDS),
      public: optionalText(from, 'public', BASE_URL_PATTERN, BASE_URL_WORDS) ?? '',
      admin: optionalText(from, 'admin', BASE_URL_PATTERN, BASE_URL_WORDS) ?? '',
      agent: optionalText(from, 'agent', /^[A-Za-z0-9._[\]:-]{0,255}$/, 'host:port') ?? '',
      startedEpochMs: optionalNumber(from, 'started', 0, Number.MAX_SAFE_INTEGER) ?? 0,
    };
  });
}
