// What is encoded is decoded as it was, for every pair of the protocol but the frames of clients and of brokers.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeAgentRequest, encodeAgentAnswer } from '../../../src/protocol/agent-check.ts';
import type { LoadReport } from '../../../src/protocol/load-report.ts';
import { decodeLoadReport } from '../../../src/protocol/load-report.ts';
import type { LookupRequest } from '../../../src/protocol/lookup.ts';
import { decodeLookupQuery, encodeLookupQuery } from '../../../src/protocol/lookup.ts';
import { isGatewayUrl } from '../../../src/protocol/names.ts';
import { decodeTablePart, encodeTablePart } from '../../../src/protocol/table-row.ts';
import type { TableRow } from '../../../src/protocol/table-row.ts';
import { decodeTicket, encodeTicket } from '../../../src/protocol/ticket.ts';

const RUNS = { numRuns: Number(process.env['FUZZ_RUNS'] ?? 300) };

const matching = (pattern: RegExp): fc.Arbitrary<string> => fc.stringMatching(pattern);
const id = matching(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,20}$/);
const heraldId = matching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,20}$/);
const place = matching(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,9}$/);
const zone = fc.oneof(fc.constant(''), place);
const labels = fc.dictionary(
  matching(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,9}$/),
  matching(/^[A-Za-z0-9._/:-]{0,9}$/),
  { maxKeys: 5, noNullPrototype: true },
);
const url = id
  .map((host) => `ws://${host.replaceAll(/[._:-]/g, '')}:7410/ws`)
  .filter((text) => isGatewayUrl(text));
const ratio = fc.double({ min: 0, max: 1_000, noNaN: true }).map((value) => value + 0);
const whole = fc.nat();

describe('round trips', () => {
  it('of a load report', () => {
    const report = fc.record<LoadReport>(
      {
        v: fc.constant(1),
        kind: fc.constantFrom('full', 'counters'),
        gateway: id,
        url,
        bootId: matching(/^[\x21-\x7e]{0,20}$/),
        seq: whole,
        periodMs: fc.integer({ min: 50, max: 60_000 }),
        pool: place,
        zone,
        labels,
        capacity: fc.double({ min: 0.001, max: 1_000, noNaN: true }),
        state: fc.constantFrom('up', 'draining'),
        tickets: fc.dictionary(id, fc.record({ admitted: whole }), { maxKeys: 4, noNullPrototype: true }),
        cpu: ratio,
        eventLoop: ratio,
        memory: ratio,
        connections: fc.nat(100_000_000),
        youngConnections: ratio,
        acceptedTotal: whole,
        compressing: fc.boolean(),
      },
      {
        requiredKeys: [
          'v',
          'kind',
          'gateway',
          'url',
          'bootId',
          'seq',
          'periodMs',
          'pool',
          'zone',
          'labels',
          'capacity',
          'state',
          'tickets',
          'cpu',
        ],
      },
    );
    fc.assert(
      fc.property(report, (value) => {
        expect(decodeLoadReport(JSON.parse(JSON.stringify(value)))).toEqual({
          ok: true,
          value: clean(value),
        });
      }),
      RUNS,
    );
  });

  it('of a lookup', () => {
    const request = fc.record<LookupRequest>({
      pool: place,
      zone,
      labels,
      key: fc.string({ maxLength: 40 }),
      exclude: fc.array(id, { maxLength: 5 }),
      failedTicket: fc.oneof(fc.constant(''), id),
      size: fc.double({ min: 0.001, max: 10_000, noNaN: true }),
      alternates: fc.integer({ min: 0, max: 8 }),
      intent: fc.constantFrom('connect', 'resume', 'move'),
    });
    fc.assert(
      fc.property(request, (value) => {
        const query = new URLSearchParams(encodeLookupQuery(value).toString());
        expect(decodeLookupQuery(query)).toEqual({ ok: true, value });
      }),
      RUNS,
    );
  });

  it('of a ticket', () => {
    const ticket = fc.record({
      heraldId,
      seq: fc.maxSafeNat(),
      issuedMs: fc.maxSafeNat(),
      mac: matching(/^[A-Za-z0-9_-]{22}$/),
    });
    fc.assert(
      fc.property(ticket, (value) => {
        const text = encodeTicket(value);
        expect(decodeTicket(text)).toEqual({ ok: true, value });
        // Fit for a subprotocol item: an HTTP token (RFC 9110 section 5.6.2).
        expect(text).toMatch(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/);
      }),
      RUNS,
    );
  });

  it('of a part of the table, to six digits', () => {
    const row = fc.record<TableRow>({
      gateway: id,
      url,
      pool: place,
      zone,
      labels,
      capacity: fc.integer({ min: 1, max: 1_000 }),
      bootId: matching(/^[\x21-\x7e]{0,20}$/),
      seq: whole,
      state: fc.constantFrom('up', 'draining'),
      periodMs: fc.integer({ min: 1, max: 60_000 }),
      ageMs: fc.nat(1_000_000),
      reportedScore: ratio,
      correctedScore: ratio,
      costPerConnection: ratio,
      connections: whole,
      youngConnections: ratio,
      maxConnections: whole,
    });
    const part = fc.record({
      v: fc.constant(1 as const),
      heraldId,
      bootId: place,
      rows: fc.array(row, { maxLength: 4 }),
    });
    fc.assert(
      fc.property(part, (value) => {
        const decoded = decodeTablePart(JSON.parse(encodeTablePart(value)));
        expect(decoded.ok).toBe(true);
        if (!decoded.ok) return;
        expect(decoded.value.rows).toHaveLength(value.rows.length);
        for (const [i, one] of decoded.value.rows.entries()) {
          const sent = value.rows[i]!;
          for (const field of [
            'reportedScore',
            'correctedScore',
            'costPerConnection',
            'youngConnections',
          ] as const) {
            expect(Math.abs(one[field] - sent[field])).toBeLessThanOrEqual(sent[field] * 1e-5);
          }
          const { reportedScore, correctedScore, costPerConnection, youngConnections } = one;
          expect(one).toEqual({
            ...sent,
            reportedScore,
            correctedScore,
            costPerConnection,
            youngConnections,
          });
        }
      }),
      RUNS,
    );
  });

  it('of an agent-check request, and HAProxy can read every answer', () => {
    fc.assert(
      fc.property(id, id, (backend, server) => {
        expect(decodeAgentRequest(`${backend}/${server}`)).toEqual({ ok: true, value: { backend, server } });
        expect(decodeAgentRequest(server)).toEqual({ ok: true, value: { backend: '', server } });
      }),
      RUNS,
    );
    const answer = fc.record({
      admin: fc.constantFrom('ready' as const, 'drain' as const, 'maint' as const),
      health: fc.constantFrom('up' as const, 'down' as const),
      weightPercent: fc.double(),
      reason: fc.string({ unit: 'binary' }),
    });
    fc.assert(
      fc.property(answer, (value) => {
        expect(encodeAgentAnswer(value)).toMatch(
          /^(ready|drain|maint) (up|down) ([1-9]\d?|100)%( # [ -~]*)?\n$/,
        );
      }),
      RUNS,
    );
  });
});

/** Without the keys whose value is undefined, which JSON drops. */
function clean<T extends object>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
