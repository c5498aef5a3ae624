// What a plugin reads: a URL or a file, within limits of size and time. Trouble is a reading too, the empty
// one: rules may be written for it, and a metric that cannot be computed from it leaves the plugin to grow stale.

import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { messageOf } from '../../daemon/thrown.ts';
import type { HelpshiftPlugin } from '../core/helpshift/helpshift-config.ts';
import type { PythonValue } from '../core/helpshift/python-value.ts';
import { isShallow, MAX_DEPTH } from '../core/helpshift/python-value.ts';

export interface Reading {
  r: PythonValue;
  /** Why `r` is the empty reading. */
  problem?: string;
}

const READING_LIMITS = { maxBytes: 1024 * 1024, deadlineMs: 10_000 } as const;

/** Never rejects. Given up on `signal` and after `READING_LIMITS.deadlineMs`. */
export async function takeReading(
  { source, isJson }: HelpshiftPlugin,
  signal: AbortSignal,
): Promise<Reading> {
  // As in the original, which rules may count on: no answer is an empty text, no file is None.
  const empty: PythonValue = source.kind === 'http' && !isJson ? '' : null;
  try {
    const text = source.kind === 'http' ? await fetchText(source.url, signal) : await readText(source.path);
    return { r: isJson ? parsed(text) : text };
  } catch (error) {
    return { r: empty, problem: problemOf(error) };
  }
}

async function fetchText(url: string, signal: AbortSignal): Promise<string> {
  const { target, headers } = withoutCredentials(url);
  const deadline = AbortSignal.timeout(READING_LIMITS.deadlineMs);
  const response = await fetch(target, { headers, signal: AbortSignal.any([signal, deadline]) });
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`HTTP ${response.status}`);
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    // Leaving the loop cancels the body, so a longer one costs no more than this.
    if (bytes > READING_LIMITS.maxBytes)
      throw new Error(`answer longer than ${READING_LIMITS.maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** `fetch` refuses `user:password@`; the original sends them as Basic authentication. */
function withoutCredentials(url: string): { target: URL; headers: Record<string, string> } {
  const target = new URL(url);
  const { username, password } = target;
  target.username = '';
  target.password = '';
  if (username === '' && password === '') return { target, headers: {} };
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { target, headers: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` } };
}

async function readText(path: string): Promise<string> {
  // A pipe without a writer would otherwise hold a thread for ever.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!(await file.stat()).isFile()) throw new Error('not a file');
    const buffer = Buffer.allocUnsafe(READING_LIMITS.maxBytes + 1);
    let bytes = 0;
    // Files of /proc say that they are empty, so they are read to their end.
    for (;;) {
      const { bytesRead } = await file.read(buffer, bytes, buffer.length - bytes, null);
      bytes += bytesRead;
      if (bytes > READING_LIMITS.maxBytes) throw new Error(`longer than ${READING_LIMITS.maxBytes} bytes`);
      if (bytesRead === 0) return buffer.toString('utf8', 0, bytes);
    }
  } finally {
    await file.close();
  }
}

function parsed(text: string): PythonValue {
  const value = JSON.parse(text) as PythonValue;
  if (!isShallow(value)) throw new Error(`JSON nested deeper than ${MAX_DEPTH}`);
  return value;
}

function problemOf(error: unknown): string {
  if (!(error instanceof Error)) return messageOf(error);
  const { message, name, cause } = error;
  if (name === 'TimeoutError') return `no answer within ${READING_LIMITS.deadlineMs} ms`;
  // `fetch failed` alone tells nobody anything.
  return cause instanceof Error ? `${message}: ${messageOf(cause)}` : message;
}
