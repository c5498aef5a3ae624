// The bodies of `POST /v1/gateways/{id}/drain|maint|ready` (why, for how long, and who) and `POST /v1/mover`.

import type { Decoded, Fields } from '../../protocol/decode.ts';
import {
  decodeJson,
  decoding,
  optionalChoice,
  optionalInteger,
  optionalText,
  readFields,
  refuse,
} from '../../protocol/decode.ts';
import { PLACE_PATTERN, PLACE_WORDS } from '../../protocol/names.ts';
import { MOVER_MODES } from '../core/balancer-types.ts';
import type { MoverWish, OperatorWish } from '../operator-desk.ts';

const MAX_FOR_MS = 90 * 86_400_000;
const WORDS = /^[^\p{Cc}\p{Zl}\p{Zp}]{0,200}$/u;
const AUTHOR = /^[^\p{Cc}\p{Zl}\p{Zp}]{1,64}$/u;

/** An empty body means no reason and no end. `from` names the author when the body does not. */
export function decodeOperatorRequest(
  body: string,
  from: string,
): Decoded<Pick<OperatorWish, 'reason' | 'author' | 'forMs'>> {
  const json = body.trim() === '' ? { ok: true as const, value: {} } : decodeJson(body);
  if (!json.ok) return json;
  return decoding(() => {
    const fields = readFields(json.value, 'body');
    return { ...words(fields, from), forMs: optionalInteger(fields, 'forMs', 0, MAX_FOR_MS) ?? 0 };
  });
}

export function decodeMoverRequest(body: string, from: string): Decoded<MoverWish> {
  const json = decodeJson(body);
  if (!json.ok) return json;
  return decoding(() => {
    const fields = readFields(json.value, 'body');
    const mode = optionalChoice(fields, 'mode', MOVER_MODES);
    if (mode === undefined) return refuse('mode', mode, `one of ${MOVER_MODES.join(', ')}`);
    return { mode, pool: optionalText(fields, 'pool', PLACE_PATTERN, PLACE_WORDS), ...words(fields, from) };
  });
}

function words(fields: Fields, from: string): { reason: string; author: string } {
  return {
    reason: optionalText(fields, 'reason', WORDS, 'at most 200 characters without control characters') ?? '',
    author: optionalText(fields, 'author', AUTHOR, '1 to 64 characters without control characters') ?? from,
  };
}
