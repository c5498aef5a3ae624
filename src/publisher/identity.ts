// The identity under which a message is published. A broker would refuse the whole batch for one that a frame cannot
// carry, so it is checked before the message joins a batch.

import { randomBytes } from 'node:crypto';
import { ID_PATTERN, PLACE_PATTERN } from '../protocol/names.ts';

/** A message with an identity of its own: sent twice under the same one it is delivered once. */
export interface PublishIdentity {
  /** 1 to 128 of A-Z a-z 0-9 . _ : -, the first a letter or digit. */
  publisher: string;
  /** A whole number from 0. */
  sequence: number;
  origin?: string;
  hop?: number;
  /** Epoch ms; now, unless it was published before and is only passed on. */
  publishedAtMs?: number;
}

export function isIdentity(identity: PublishIdentity): boolean {
  const { publisher, sequence, origin = '', hop = 0, publishedAtMs = 0 } = identity;
  const numbers = [sequence, hop, Math.floor(publishedAtMs)];
  return (
    typeof publisher === 'string' &&
    ID_PATTERN.test(publisher) &&
    typeof origin === 'string' &&
    PLACE_PATTERN.test(origin) &&
    numbers.every((number) => Number.isSafeInteger(number) && number >= 0) &&
    hop <= 255
  );
}

/** With what is added it is an id of 128 characters. */
const MAX_GIVEN = 109;

/**
 * The name of one start of a publisher. If two shared a name, at once or one after the other, a broker would take the
 * messages of one for duplicates of the other's or for too old; and no clock could be trusted to number them on.
 */
export function nameOfLife(publisherId = 'p'): string {
  return `${publisherId.slice(0, MAX_GIVEN)}-${randomBytes(9).toString('hex')}`;
}
