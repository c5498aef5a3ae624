// Why a message was not published, as a code and in words.

import type { PublishOutcome } from './core/outbox-lane.ts';

export type PublishErrorCode =
  Exclude<PublishOutcome, 'acked'> | 'bad-topic' | 'bad-identity' | 'too-large' | 'queue-full';

const WORDS: Record<PublishErrorCode, string> = {
  'bad-topic': 'a topic is 1 to 255 printable ASCII characters without space, " or \\',
  'bad-identity': 'an identity is an id, and whole numbers from 0',
  'bad-json': 'the data is not JSON',
  'too-large': 'the data is larger than 65,536 bytes of JSON',
  'queue-full':
    'too many messages, or too large ones, wait for an ack; publish slower, or raise maxQueued or maxQueuedBytes',
  timeout: 'no broker acked it in time',
  closed: 'the publisher was closed before a broker acked it',
  'too-old': 'the broker no longer knows whether it has seen this sequence',
  'too-many-hops': 'it crossed more bridges than allowed',
  'bad-frame': 'the broker could not read the frame',
};

export class PublishError extends Error {
  override readonly name = 'PublishError';
  readonly code: PublishErrorCode;
  readonly topic: string;
  /** It was on its way to a broker, so with `timeout` or `closed` it may have been delivered. */
  readonly wasSent: boolean;
  /** The message without what is known of brokers: for whom it is no business where they are. */
  readonly outcome: string;

  /** `because`: what else is known of it. */
  constructor(
    code: PublishErrorCode,
    topic: string,
    { wasSent = false, because }: { wasSent?: boolean; because?: string | undefined } = {},
  ) {
    const isOpen = code === 'timeout' || code === 'closed';
    const fate = isOpen ? `; it ${wasSent ? 'may have been delivered' : 'was not sent'}` : '';
    const outcome = `${topic.slice(0, 80)}: ${WORDS[code]}${fate}`;
    super(because === undefined ? outcome : `${outcome} (${because})`);
    this.outcome = outcome;
    this.code = code;
    this.topic = topic;
    this.wasSent = wasSent;
  }
}
