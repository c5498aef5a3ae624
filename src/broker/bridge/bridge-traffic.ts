// (7) What a bridge passes on and what becomes of it, in numbers: read here, published over there, lost on the way.

import type { Log } from '../../daemon/log.ts';
import type { Counter, Metrics } from '../../daemon/metrics.ts';
import { MESSAGE_FLAG } from '../../protocol/publication.ts';
import type { SequencedMessage } from '../../protocol/publication-envelope.ts';
import type { Publisher } from '../../publisher/index.ts';

export interface BridgeCounts {
  /** read = passed + notFirstHop + canaries. */
  read: number;
  /** Handed to the publisher; acked + failed + waiting. */
  passed: number;
  acked: number;
  failed: number;
  /** Came over a bridge themselves. */
  notFirstHop: number;
  canaries: number;
  /** Known to be published and not received, for good. */
  lost: number;
}

export interface BridgeTraffic {
  /** Publishes a message over there under its first identity, unless it came over a bridge itself. */
  pass(message: SequencedMessage): void;
  /** `count` messages of a bucket of the broker `from` were published and will not come. */
  lost(from: string, bucket: number, count: number, why: 'trimmed' | 'broker-lost'): void;
  counts(): BridgeCounts;
}

export function createBridgeTraffic(
  bridge: string,
  publisher: Publisher,
  metrics: Metrics,
  log: Log,
): BridgeTraffic {
  const passedMeter = metrics.counter('bridge.messages_passed', { bridge });
  const lostMeter = (cause: string): Counter => metrics.counter('bridge.messages_lost', { bridge, cause });
  const lostMeters = {
    'not-passed': lostMeter('not-passed'),
    trimmed: lostMeter('trimmed'),
    'broker-lost': lostMeter('broker-lost'),
  };
  const counts = { read: 0, passed: 0, acked: 0, failed: 0, notFirstHop: 0, canaries: 0, lost: 0 };
  let failing = false;

  const acked = (): void => {
    counts.acked += 1;
    passedMeter.add(1);
    if (failing) log.info('passing-again', { bridge });
    failing = false;
  };
  const notAcked = (error: unknown): void => {
    counts.failed += 1;
    lostMeters['not-passed'].add(1);
    if (!failing) log.warn('not-passed', { bridge, error: String(error) });
    failing = true;
  };

  return {
    pass({ topic, data, source, sequence, flags, publishedAtMs }) {
      counts.read += 1;
      if (flags & MESSAGE_FLAG.canary) {
        counts.canaries += 1;
      } else if (source.hop > 0) {
        counts.notFirstHop += 1;
      } else {
        counts.passed += 1;
        const { publisher: first, origin } = source;
        const identity = { publisher: first, sequence, origin, hop: 1, publishedAtMs };
        publisher.publishJson(topic, data, identity).then(acked, notAcked);
      }
    },
    lost(from, bucket, count, why) {
      counts.lost += count;
      lostMeters[why].add(count);
      log.warn('messages-lost', { bridge, broker: from, bucket, count, why });
    },
    counts: () => ({ ...counts }),
  };
}
