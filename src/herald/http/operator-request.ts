// The body of `POST /v1/gateways/{id}/drain|maint|ready`: why, for how long, and who.

import type { Decoded } from '../../protocol/decode.ts';
import { decodeJson, decoding, optionalInteger, optionalText, readFields } from '../../protocol/decode.ts';

export interface OperatorRequest {
  reason: string;
  /** 0 = until somebody says otherwise. */
  forMs: number;
  author: string;
}

export const MAX_FOR_MS = 90 * 86_400_000;
const WORDS = /^\P{Cc}{0,200}$/u;
const AUTHOR = /^\P{Cc}{1,64}$/u;

/** An empty body means no reason and no end. `from` names the author when the body does not. */
export function decodeOperatorRequest(body: string, from: string): Decoded<OperatorRequest> {
  const json = body.trim() === '' ? { ok: true as const, value: {} } : decodeJson(body);
  if (!json.ok) return json;
  return decoding(() => {
    const fields = readFields(json.value, 'body');
    return {
      reason:
        optionalText(fields, 'reason', WORDS, 'at most 200 characters without control characters') ?? '',
      forMs: optionalInteger(fields, 'forMs', 0, MAX_FOR_MS) ?? 0,
      author: optionalText(fields, 'author', AUTHOR, '1 to 64 characters without control characters') ?? from,
    };
  });
}
