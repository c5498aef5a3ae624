// Why something cannot be published at all, whatever brokers there are.

import { shown } from '../protocol/decode.ts';
import { TOPIC_PATTERN } from '../protocol/names.ts';
import { PUBLICATION_LIMITS } from '../protocol/publication.ts';
import type { PublishIdentity } from './identity.ts';
import { isIdentity } from './identity.ts';
import { PublishError } from './publisher-errors.ts';

/** Programs in JavaScript may pass anything. */
export function publicationProblem(
  topic: unknown,
  data: unknown,
  identity: PublishIdentity | undefined,
): PublishError | undefined {
  if (typeof topic !== 'string') return new PublishError('bad-topic', shown(topic));
  if (!TOPIC_PATTERN.test(topic)) return new PublishError('bad-topic', topic);
  if (!(data instanceof Uint8Array)) return new PublishError('bad-json', topic);
  if (data.length > PUBLICATION_LIMITS.maxDataBytes) return new PublishError('too-large', topic);
  if (identity && !isIdentity(identity)) return new PublishError('bad-identity', topic);
  return undefined;
}
