// What is encoded is decoded as it was, for every pair of the protocol.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ClientIn, ClientOut } from '../../../src/protocol/client-frames.ts';
import { decodeClientIn } from '../../../src/protocol/client-frames.ts';
import { decodeClientOut } from '../../../src/protocol/client-out-frames.ts';
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
const topic = matching(/^[!#-[\]-~]{1,30}$/);
const epoch = matching(/^[A-Za-z0-9]{0,16}$/);
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
const json = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown);

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

  it('of what a client says', () => {
    const item = fc.oneof(
      fc.record({ c: topic }),
      fc.record({ c: topic, from: fc.record({ e: epoch, o: fc.maxSafeNat() }) }),
    );
    const number = fc.integer({ min: 0, max: 2 ** 31 - 1 });
    const frame: fc.Arbitrary<ClientIn> = fc.oneof(
      fc.record({
        op: fc.constant('sub' as const),
        id: number,
        c: fc.array(item, { minLength: 1, maxLength: 5 }),
      }),
      fc.record({
        op: fc.constant('unsub' as const),
        id: number,
        c: fc.array(topic, { minLength: 1, maxLength: 5 }),
      }),
      fc.record({ op: fc.constant('pub' as const), id: number, c: topic, d: json }),
      fc.record({
        op: fc.constant('hello' as const),
        v: fc.integer({ min: 1, max: 1_000 }),
        caps: fc.array(fc.string({ maxLength: 9 }), { maxLength: 4 }),
        token: matching(/^[\x20-\x7e]{0,40}$/),
      }),
      fc.constantFrom<ClientIn>({ op: 'ping' }, { op: 'pong' }, { op: 'bye' }),
    );
    fc.assert(
      fc.property(frame, (value) => {
        expect(decodeClientIn(JSON.stringify(value))).toEqual({ ok: true, value });
      }),
      RUNS,
    );
  });

  it('of what a gateway says', () => {
    const number = fc.integer({ min: 0, max: 2 ** 31 - 1 });
    const duration = fc.integer({ min: 0, max: 86_400_000 });
    const problem = fc.record({ code: fc.integer({ min: 0, max: 65_535 }), msg: fc.string() });
    const item = fc.record(
      { c: topic, e: epoch, o: fc.maxSafeNat(), rec: fc.boolean(), err: problem },
      { requiredKeys: ['c', 'e', 'o'] },
    );
    const frame: fc.Arbitrary<ClientOut> = fc.oneof(
      fc.record(
        { op: fc.constant('msg' as const), c: topic, e: epoch, o: fc.maxSafeNat(), d: json },
        { requiredKeys: ['op', 'c', 'o', 'd'] },
      ),
      fc.record({
        op: fc.constant('gap' as const),
        c: topic,
        e: epoch,
        from: fc.maxSafeNat(),
        n: fc.maxSafeNat(),
        why: fc.string(),
      }),
      fc.record(
        { op: fc.constant('ok' as const), id: number, c: fc.array(item) },
        { requiredKeys: ['op', 'id'] },
      ),
      fc.record({
        op: fc.constant('move' as const),
        why: fc.constantFrom('drain' as const, 'balance' as const, 'shutdown' as const),
        spreadMs: duration,
        deadlineMs: duration,
      }),
      fc.record({
        op: fc.constant('err' as const),
        id: number,
        code: fc.integer({ min: 0, max: 65_535 }),
        msg: fc.string(),
      }),
      fc.record({
        op: fc.constant('welcome' as const),
        v: fc.constant(1 as const),
        caps: fc.array(fc.string()),
        conn: fc.string(),
        gateway: fc.string(),
        pingMs: fc.integer({ min: 1, max: 86_400_000 }),
        max: fc.record({
          frame: fc.integer({ min: 1 }),
          topics: fc.integer({ min: 1 }),
          perSec: fc.integer({ min: 1, max: 1e9 }),
        }),
        lookup: fc.array(fc.webUrl()),
      }),
      fc.constantFrom<ClientOut>({ op: 'ping' }, { op: 'pong' }, { op: 'bye' }),
    );
    fc.assert(
      fc.property(frame, (value) => {
        expect(decodeClientOut(JSON.stringify(value))).toEqual({ ok: true, value });
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
