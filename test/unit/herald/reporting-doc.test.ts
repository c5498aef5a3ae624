import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { deriveKey, signFeedback } from '../../../src/daemon/secrets.ts';
import { verifyTicket } from '../../../src/daemon/ticket-key.ts';
import { decodeLoadReport, SIGNAL_NAMES } from '../../../src/protocol/load-report.ts';
import { decodeTicket } from '../../../src/protocol/ticket.ts';
import { decodeFeedbackReply } from '../../../src/reporter/core/feedback-reply.ts';

const PAGE = readFileSync(join(import.meta.dirname, '../../../docs/reporting.md'), 'utf8');

function examples(kind: 'report' | 'reply'): string[] {
  return [...PAGE.matchAll(new RegExp(`^\`\`\`json ${kind}\\n([^]*?)^\`\`\``, 'gm'))].flatMap((block) =>
    block[1]!.trim().split('\n'),
  );
}

/** The cell beside a name in a table of two or more columns. */
function beside(name: string): string {
  return new RegExp(`^\\| ${name} \\| \`(.*?)\` \\|`, 'm').exec(PAGE)?.[1] ?? '';
}

describe('docs/reporting.md', () => {
  it.each(examples('report'))('has a report that Herald takes: %s', (text) => {
    const said = JSON.parse(text) as object;
    expect(decodeLoadReport(said)).toMatchObject({ ok: true, value: said });
  });

  it.each(examples('reply'))('has a reply that a reporter takes: %s', (text) => {
    const said = JSON.parse(text) as Record<string, unknown>;
    // It is for people: a reporter passes over it.
    delete said['refused'];
    expect(decodeFeedbackReply(text)).toEqual({ ok: true, value: said });
  });

  it('lists every field of a report, and none that there is not', () => {
    const table = /^\| field \|[^]*?\n\n/m.exec(PAGE)![0];
    const listed = [...table.matchAll(/^\| (`.*?) \|/gm)].flatMap((row) =>
      [...row[1]!.matchAll(/`(\w+)`/g)].map((name) => name[1]!),
    );
    const decoded = decodeLoadReport({ v: 1, gateway: 'g', url: 'ws://g/', seq: 1, cpu: 1 });
    const always = decoded.ok ? Object.keys(decoded.value) : [];
    const counters = ['connections', 'youngConnections', 'maxConnections', 'acceptedTotal', 'compressing'];
    expect(listed.sort()).toEqual([...new Set([...always, ...SIGNAL_NAMES, ...counters])].sort());
  });

  it('takes no hard cap of 0, which other Heralds would read as none', () => {
    const said = { v: 1, gateway: 'g', url: 'ws://g/', seq: 1, cpu: 1, maxConnections: 0 };
    expect(decodeLoadReport(said)).toMatchObject({ ok: false, refusal: { field: 'maxConnections' } });
    expect(decodeLoadReport({ ...said, maxConnections: 1 })).toMatchObject({ ok: true });
  });

  it('signs its example as Herald checks it', () => {
    const [secret, gateway, nonce, body] = ['secret', 'gateway', 'nonce', 'body'].map(beside);
    const key = deriveKey(secret!, 'feedback', gateway!);
    expect(beside('key, in hex')).toBe(key.toString('hex'));
    expect(beside('header')).toBe(`${gateway};${nonce};${signFeedback(key, nonce!, body!)}`);
  });

  it('has a ticket that a gateway takes', () => {
    const key = deriveKey(beside('secret'), 'ticket', beside('gateway'));
    const ticket = decodeTicket(beside('ticket'));
    if (!ticket.ok) throw new Error(ticket.refusal.expected);
    const { heraldId, seq, issuedMs } = ticket.value;
    expect(heraldId).toBe(beside('Herald'));
    expect(PAGE).toContain(`| seq, issuedMs | \`${seq}\`, \`${issuedMs}\` |`);
    expect(beside('signing key, in hex')).toBe(createHmac('sha256', key).update(heraldId).digest('hex'));
    expect(verifyTicket(key, ticket.value)).toBe(true);
  });
});
