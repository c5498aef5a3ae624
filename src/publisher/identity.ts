// Under which identity a message is published. One that no frame can carry would have the broker refuse the whole
// batch, so it is refused before it joins one.

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

/**
 * Where a publisher begins to count. One with a name of its own may have lived before, and what repeats a number of
 * that life would be taken for a duplicate: it goes on from the clock, as no life publishes 1,000 messages in each ms.
 */
export function firstSequence(publisherId: string | undefined): number {
  return publisherId === undefined ? 0 : Date.now() * 1_000;
}
