// One gateway's desired state as stored: compact JSON that an operator can read and write from a ZooKeeper
// shell. It lapses by the store's clock, so that a Herald whose own clock is wrong ends no drain early.

import type { Decoded } from '../../protocol/decode.ts';
import {
  decodeJson,
  decoding,
  optionalNumber,
  optionalText,
  readFields,
  refuse,
} from '../../protocol/decode.ts';
import type { Desired } from '../core/balancer-types.ts';

export interface DesiredEntry {
  desired: Desired;
  /** How long it holds from the moment it was written; 0 = until somebody says otherwise. */
  forMs: number;
}

/** Beyond what operators may ask for (http/operator-request.ts): what is left of it is counted by clocks that may be set. */
const MAX_LEFT_MS = 366 * 86_400_000;
const TEXT = /^[^\u2028\u2029]{0,1000}$/;

/** A wish as remembered on disk: whether the shared store still lacks it. */
export interface KeptDesired {
  desired: Desired;
  unshared: boolean;
}

export function encodeDesired({ desired, forMs }: DesiredEntry): string {
  const { state, reason, author, untilEpochMs, saidEpochMs } = desired;
  return JSON.stringify({
    state,
    reason,
    author,
    until: untilEpochMs,
    ...(saidEpochMs !== undefined && { said: saidEpochMs }),
    ...(forMs > 0 && { forMs }),
  });
}

export function decodeDesired(text: string): Decoded<DesiredEntry> {
  const json = decodeJson(text, 'desired');
  if (!json.ok) return json;
  return decoding(() => {
    const from = readFields(json.value, 'desired');
    const state = from['state'];
    if (state !== 'up' && state !== 'drain' && state !== 'maint') {
      return refuse('state', state, 'one of up, drain, maint');
    }
    const saidEpochMs = optionalNumber(from, 'said', 0, Number.MAX_SAFE_INTEGER);
    return {
      desired: {
        state,
        reason: optionalText(from, 'reason', TEXT, 'at most 1000 characters') ?? '',
        author: optionalText(from, 'author', TEXT, 'at most 1000 characters') ?? '',
        untilEpochMs: optionalNumber(from, 'until', 0, Number.MAX_SAFE_INTEGER) ?? 0,
        ...(saidEpochMs !== undefined && { saidEpochMs }),
      },
      forMs: optionalNumber(from, 'forMs', 0, MAX_LEFT_MS) ?? 0,
    };
  });
}

export function sameDesired(a: Desired | undefined, b: Desired): boolean {
  return (
    a?.state === b.state &&
    a.reason === b.reason &&
    a.author === b.author &&
    a.untilEpochMs === b.untilEpochMs &&
    a.saidEpochMs === b.saidEpochMs
  );
}

export function lapsed({ reason, author, untilEpochMs }: Desired): Desired {
  return { state: 'up', reason: `lapsed: ${reason}`, author, untilEpochMs: 0, saidEpochMs: untilEpochMs };
}
