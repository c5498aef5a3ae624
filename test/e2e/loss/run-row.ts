// One row: lays a field, makes the fault so many times under traffic, waits until everything has come or been
// told, and reads the book and the gateways' ledgers.

import { pause } from '../../launch/until.ts';
import type { Verdict } from './book.ts';
import type { Field } from './field.ts';
import { layField, TOPICS_PER_CLIENT, traffic } from './field.ts';
import { startHttpFeed } from './http-feed.ts';
import { ROWS, withZookeeper } from './rows.ts';

/** Messages a second of one topic: what is missed in 10 s still fits a resume (300 messages a client). */
const TOPIC_RATE = 12;

export interface Result extends Verdict {
  row: string;
  what: string;
  times: number;
  ratePerSec: number;
  seconds: number;
  failed: number;
  resent: number;
  /** Messages the gateways' ledgers count as lost to their subscribers; only of gateways that lived through. */
  ledger: number;
  /** Empty when the promise was kept. */
  broken: string[];
}

export interface RowOptions {
  full: boolean;
  /** Overrides how often the fault is made. */
  times?: number;
  /** Share of the row's message rate. */
  pace?: number;
}

export async function runRow(name: string, options: RowOptions): Promise<Result> {
  const row = ROWS[name]!;
  const pace = row.keepsRate === true ? 1 : (options.pace ?? 1);
  const ratePerSec = Math.round(row.ratePerSec * pace);
  const clients = Math.ceil(ratePerSec / TOPIC_RATE / TOPICS_PER_CLIENT);
  const lay = async (zookeeper: string): Promise<Result> => {
    const field = await layField({
      clients,
      zookeeper,
      brokerFlags: row.brokerFlags ?? {},
      ...(row.brokers !== undefined && { brokers: row.brokers }),
    });
    try {
      return await onField(field, name, ratePerSec, options);
    } finally {
      await field.close();
    }
  };
  return row.needs === 'zookeeper' ? withZookeeper(lay) : lay('');
}

async function onField(field: Field, name: string, ratePerSec: number, options: RowOptions): Promise<Result> {
  const row = ROWS[name]!;
  const times = options.times ?? Math.max(1, row.times[options.full ? 1 : 0]);
  const http = row.httpPublish === true ? startHttpFeed(field) : undefined;
  const startMs = performance.now();
  const flow = traffic(field.topics.length, ratePerSec, http?.publish ?? field.publish);
  try {
    await pause(1_000);
    for (let time = 0; time < times; time++) await row.fault(field, time);
    await pause(1_000);
  } finally {
    flow.stop();
  }
  await http?.settled();
  await field.settled();
  const verdict = field.book.verdict();
  const result: Result = {
    row: name,
    what: row.what,
    times,
    ratePerSec,
    seconds: (performance.now() - startMs) / 1_000,
    failed: field.failed() + (http?.failed() ?? 0),
    resent: field.publisher.snapshot().resent,
    ledger: await ledgers(field),
    ...verdict,
    broken: [],
  };
  result.broken = judge(result, field);
  return result;
}

async function ledgers(field: Field): Promise<number> {
  let sum = 0;
  for (const { process } of field.gateways) {
    const reply = await fetch(`${process.addresses['http']}/v1/ledger`);
    sum += ((await reply.json()) as { ledger: { gapMessages: number } }).ledger.gapMessages;
  }
  return sum;
}

function judge(result: Result, field: Field): string[] {
  const { promise, httpPublish, mayRepeat } = ROWS[result.row]!;
  const broken: string[] = [];
  const none = (what: keyof Result): void => {
    if (result[what] !== 0) broken.push(`${what}: ${String(result[what])}`);
  };
  none('unflagged');
  if (mayRepeat !== true) none('duplicates');
  // Batches over HTTP travel side by side, and keep no order between them.
  if (httpPublish !== true) none('disorder');
  none('overcounted');
  none('uncounted');
  if (promise === 'nothing') none('lost');
  // A second of traffic for each time it was made: every message has one subscriber here.
  if (promise === 'counted' && result.lost > result.ratePerSec * result.times) {
    broken.push(`more than 1 s lost: ${result.lost}`);
  }
  if (promise === 'told' && result.lost === 0) broken.push('nothing was lost: this row proves nothing');
  if (promise !== 'nothing' && result.ledger < result.flagged) {
    broken.push(`in the ledgers ${result.ledger}, in gaps ${result.flagged}`);
  }
  if (broken.length > 0) broken.push(...field.book.complaints(5));
  return broken;
}
