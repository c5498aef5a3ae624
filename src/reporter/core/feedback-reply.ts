// (1) Decodes what a Herald answers to a report. Unknown fields and unknown directives are ignored, so that
// an older gateway lives with a newer Herald.

import { readBrokerList } from '../../protocol/broker-address.ts';
import type { Decoded, Fields } from '../../protocol/decode.ts';
import {
  decodeJson,
  decoding,
  optionalInteger,
  optionalNumber,
  optionalText,
  readFields,
  refuse,
  requiredInteger,
  requiredText,
} from '../../protocol/decode.ts';
import type { Directive, FeedbackReply } from '../../protocol/load-report.ts';
import { REPORT_LIMITS } from '../../protocol/load-report.ts';
import { ID_PATTERN, ID_WORDS } from '../../protocol/names.ts';

const DAY_MS = 86_400_000;
/** An operator's words, in any language: a reply must not be refused for them. */
const REASON = /^[^]{0,1000}$/;

export function decodeFeedbackReply(body: string): Decoded<FeedbackReply> {
  const json = decodeJson(body, 'reply');
  if (!json.ok) return json;
  return decoding(() => readReply(readFields(json.value, 'reply')));
}

function readReply(from: Fields): FeedbackReply {
  const { minPeriodMs, maxPeriodMs, maxHeralds } = REPORT_LIMITS;
  const heralds = from['heralds'] ?? [];
  if (!Array.isArray(heralds) || !heralds.every((url) => typeof url === 'string')) {
    return refuse('heralds', heralds, 'an array of URLs');
  }
  const brokers = from['brokers'];
  const directive = from['directive'];
  return {
    accepted: optionalInteger(from, 'accepted', 0, REPORT_LIMITS.maxReportsPerPost) ?? 0,
    periodMs:
      optionalNumber(from, 'periodMs', minPeriodMs, maxPeriodMs) ??
      refuse('periodMs', undefined, `a number from ${minPeriodMs} to ${maxPeriodMs}`),
    heraldId: requiredText(from, 'heraldId', ID_PATTERN, ID_WORDS),
    nowMs:
      optionalNumber(from, 'nowMs', 0, Number.MAX_SAFE_INTEGER) ?? refuse('nowMs', undefined, 'a number'),
    heralds: heralds.slice(0, maxHeralds),
    ...(brokers !== undefined && brokers !== null && { brokers: readBrokerList(brokers) }),
    ...readDirective(directive),
  };
}

function readDirective(value: unknown): { directive?: Directive } {
  if (value === undefined || value === null) return {};
  const from = readFields(value, 'directive');
  if (from['shed'] !== undefined) {
    const order = readFields(from['shed'], 'directive.shed');
    const work = optionalNumber(order, 'work', 0, 1e9);
    return {
      directive: {
        shed: {
          orderId: orderId(order),
          count: requiredInteger(order, 'count', 0, REPORT_LIMITS.maxConnections),
          ...(work !== undefined && { work }),
          spreadMs: requiredInteger(order, 'spreadMs', 0, DAY_MS),
        },
      },
    };
  }
  if (from['drain'] !== undefined) {
    const order = readFields(from['drain'], 'directive.drain');
    return {
      directive: {
        drain: {
          orderId: orderId(order),
          reason: optionalText(order, 'reason', REASON, 'at most 1000 characters') ?? '',
          spreadMs: requiredInteger(order, 'spreadMs', 0, DAY_MS),
          deadlineMs: requiredInteger(order, 'deadlineMs', 0, DAY_MS),
        },
      },
    };
  }
  if (from['ready'] !== undefined) {
    return { directive: { ready: { orderId: orderId(readFields(from['ready'], 'directive.ready')) } } };
  }
  return {};
}

function orderId(order: Fields): string {
  return requiredText(order, 'orderId', /^[\x21-\x7e]{1,128}$/, '1 to 128 printable characters');
}
