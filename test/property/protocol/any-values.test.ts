// Every text decoder takes any value without throwing, and refuses in words that name a field.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeLookupReply, judgeLookup } from '../../../src/client/core/lookup-answer.ts';
import type { Decoded } from '../../../src/protocol/decode.ts';
import { decodeJson, refusalText, shown } from '../../../src/protocol/decode.ts';
import { decodeAgentRequest } from '../../../src/protocol/agent-check.ts';
import { decodeBrokerList } from '../../../src/protocol/broker-address.ts';
import { decodeClientIn } from '../../../src/protocol/client-frames.ts';
import { decodeClientOut } from '../../../src/protocol/client-out-frames.ts';
import { decodeLoadReport, SIGNAL_NAMES } from '../../../src/protocol/load-report.ts';
import { decodeLookupQuery } from '../../../src/protocol/lookup.ts';
import { readRetryAfterMs } from '../../../src/protocol/retry.ts';
import { decodeTablePart } from '../../../src/protocol/table-row.ts';
import { decodeTicket } from '../../../src/protocol/ticket.ts';
import { decodeFeedbackReply } from '../../../src/reporter/core/feedback-reply.ts';

const RUNS = { numRuns: Number(process.env['FUZZ_RUNS'] ?? 1_000) };

function wellRefused(decoded: Decoded<unknown>): void {
  if (decoded.ok) return;
  expect(decoded.refusal.field).not.toBe('');
  expect(decoded.refusal.expected).not.toBe('');
  expect(decoded.refusal.received.length).toBeLessThanOrEqual(80);
  expect(refusalText(decoded.refusal)).toContain(decoded.refusal.field);
}

/** Any JSON, but often with the field names that the decoders know. */
const fields = (...names: string[]): fc.Arbitrary<unknown> =>
  fc.oneof(
    fc.jsonValue(),
    fc.dictionary(fc.constantFrom(...names), fc.jsonValue({ maxDepth: 3 }), { maxKeys: names.length }),
  );

const values: Record<string, [(value: unknown) => Decoded<unknown>, fc.Arbitrary<unknown>]> = {
  decodeLoadReport: [
    decodeLoadReport,
    fields('v', 'kind', 'gateway', 'url', 'bootId', 'seq', 'labels', 'tickets', 'state', ...SIGNAL_NAMES),
  ],
  decodeTablePart: [decodeTablePart, fields('v', 'herald', 'boot', 'rows')],
  decodeBrokerList: [decodeBrokerList, fc.oneof(fc.array(fields('id', 'publish', 'state')), fc.jsonValue())],
};

const texts: Record<string, [(text: string) => Decoded<unknown>, fc.Arbitrary<unknown>]> = {
  decodeClientIn: [decodeClientIn, fields('op', 'id', 'c', 'd', 'v', 'caps', 'token')],
  decodeClientOut: [
    decodeClientOut,
    fields('op', 'id', 'c', 'e', 'o', 'n', 'from', 'max', 'spreadMs', 'code'),
  ],
  decodeFeedbackReply: [
    decodeFeedbackReply,
    fields('accepted', 'periodMs', 'heraldId', 'nowMs', 'heralds', 'brokers', 'directive'),
  ],
  decodeLookupReply: [decodeLookupReply, fields('gateway', 'url', 'ticket', 'alternates', 'backoff')],
  decodeTicket: [decodeTicket, fc.string()],
  decodeAgentRequest: [decodeAgentRequest, fc.string()],
  decodeJson: [decodeJson, fc.string()],
};

describe('any value', () => {
  for (const [name, [decode, arbitrary]] of Object.entries(values)) {
    it(`does not make ${name} throw`, () => {
      fc.assert(
        fc.property(fc.oneof(arbitrary, fc.anything()), (value) => wellRefused(decode(value))),
        RUNS,
      );
    });
  }

  for (const [name, [decode, arbitrary]] of Object.entries(texts)) {
    it(`does not make ${name} throw`, () => {
      const anyText = fc.oneof(
        fc.string({ unit: 'binary' }),
        arbitrary.map((value) => (typeof value === 'string' ? value : JSON.stringify(value))),
      );
      fc.assert(
        fc.property(anyText, (text) => wellRefused(decode(text))),
        RUNS,
      );
    });
  }

  it('does not make decodeLookupQuery throw', () => {
    const names = ['pool', 'zone', 'label', 'key', 'exclude', 'failed', 'size', 'n', 'intent'];
    const pairs = fc.array(fc.tuple(fc.constantFrom(...names), fc.string()));
    fc.assert(
      fc.property(pairs, (given) => wellRefused(decodeLookupQuery(new URLSearchParams(given)))),
      RUNS,
    );
  });

  it('does not make judgeLookup throw, and never gives it a wait that is no number', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.constantFrom(429, 503), fc.integer({ min: 100, max: 599 })),
        fc.option(fc.oneof(fc.string(), fc.double().map(String))),
        fc.oneof(
          fc.string(),
          fc
            .record({ retryAfterMs: fc.oneof(fc.double(), fc.jsonValue()) })
            .map((value) => JSON.stringify(value)),
        ),
        (status, after, body) => {
          const answer = judgeLookup(status, readRetryAfterMs({ 'retry-after': after }, 0), body);
          if (answer.is === 'refused' && answer.wait) {
            expect(answer.wait.forMs).toBeGreaterThanOrEqual(100);
            expect(answer.wait.forMs).toBeLessThanOrEqual(600_000);
          }
        },
      ),
      RUNS,
    );
  });

  it('is shown in at most 80 characters', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        expect(shown(value).length).toBeLessThanOrEqual(80);
      }),
      RUNS,
    );
  });
});

describe('numbers that are none', () => {
  it.each(['NaN', '-1', '1e999', '"0.5"', '[]', '{}', 'true'])('refuse the whole report: cpu %s', (text) => {
    const value = text === 'NaN' ? Number.NaN : (JSON.parse(text) as unknown);
    const decoded = decodeLoadReport({ v: 1, gateway: 'g', url: 'ws://h/', seq: 1, cpu: value });
    expect(decoded.ok).toBe(false);
    if (!decoded.ok) expect(decoded.refusal.field).toBe('cpu');
  });
});
