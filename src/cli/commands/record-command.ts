// `herald record <file>`: writes the reports and lookups of a running Herald, for `herald sim --replay`.

import { createWriteStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import { request } from 'undici';
import { StartError } from '../../daemon/lifecycle.ts';
import { messageOf } from '../../daemon/thrown.ts';
import { readRetryAfterMs } from '../../protocol/retry.ts';
import { DEADLINE_MS, jsonOf, noAnswer, refusal } from '../admin-api.ts';
import { adminFlags, adminTarget } from '../flags/herald-flags.ts';
import { LONGEST_TIMER, parseDurationMs } from '../flags/duration.ts';

const MAX_REFUSAL_CHARS = 1_000_000;

interface RecordFlags {
  admin: string;
  token?: string;
  for: string;
}

export function addRecordCommand(program: Command): void {
  adminFlags(
    program.command('record <file>').description('record the reports and lookups of a running Herald'),
  )
    .option('--for <duration>', 'how long', '60s')
    .action(record);
}

async function record(file: string, flags: RecordFlags): Promise<void> {
  const target = adminTarget(flags);
  const forMs = parseDurationMs(flags.for, '--for', LONGEST_TIMER);
  const stop = new AbortController();
  process.on('SIGINT', () => stop.abort());
  const url = new URL(`${target.url}/v1/record`);
  const reply = await request(url, {
    headers: target.token === undefined ? {} : { authorization: `Bearer ${target.token}` },
    headersTimeout: DEADLINE_MS,
    bodyTimeout: 0,
    signal: stop.signal,
  }).catch((error: unknown) => {
    throw noAnswer(url, error);
  });
  if (reply.statusCode !== 200) {
    const words = await wordsOf(reply.body).catch((error: unknown) => {
      throw noAnswer(url, error);
    });
    const retryAfterMs = readRetryAfterMs(reply.headers, Date.now());
    throw refusal(target, reply.statusCode, jsonOf(words, url, reply.statusCode), retryAfterMs);
  }

  const timer = setTimeout(() => stop.abort(), forMs);
  const count = { lines: 0 };
  try {
    await pipeline(reply.body, countLines(count), createWriteStream(file));
  } catch (error) {
    // The end that was asked for looks like any other abort to the pipeline.
    if (!stop.signal.aborted) throw new StartError(`recording ended: ${messageOf(error)}`);
  } finally {
    clearTimeout(timer);
  }
  console.log(`${file}: ${count.lines} reports and lookups; try herald sim --replay ${file}`);
}

/** Of a refusal, as far as they can be a Herald's: a recording may last, and be as long as it will; its refusal may not. */
async function wordsOf(body: Readable): Promise<string> {
  const timer = setTimeout(() => body.destroy(new Error('no whole answer in time')), DEADLINE_MS);
  let words = '';
  try {
    for await (const chunk of body) {
      words += String(chunk);
      if (words.length > MAX_REFUSAL_CHARS) break;
    }
  } finally {
    clearTimeout(timer);
  }
  return words;
}

/** Passes whole lines on, so that a recording never ends in half of one. */
function countLines(count: { lines: number }): Transform {
  let rest = '';
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      count.lines += lines.length;
      done(null, lines.map((line) => `${line}\n`).join(''));
    },
  });
}
