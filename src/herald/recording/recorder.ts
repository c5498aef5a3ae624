// Records what comes in, one JSON object a line, so that `herald sim --replay` can ask how another policy
// would have done: {"t": ms since the start, "report": LoadReport} or {"t": ms, "lookup": LookupRequest}.

import { closeSync, createWriteStream, fstatSync, ftruncateSync, openSync, readSync } from 'node:fs';
import type { Log } from '../../daemon/log.ts';
import { errorFields } from '../../daemon/log.ts';
import { messageOf } from '../../daemon/thrown.ts';
import type { LoadReport } from '../../protocol/load-report.ts';
import type { LookupRequest } from '../../protocol/lookup.ts';

export interface Recorder {
  report(report: LoadReport, nowMs: number): void;
  lookup(request: LookupRequest, nowMs: number): void;
  /** Why nothing is recorded any more, where a disk is the cause. */
  trouble(): string | undefined;
  close(): Promise<void>;
}

/** Bytes that may wait for the disk; beyond, lines are left out, since a recording must not cost lookups. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;

export const noRecorder: Recorder = {
  report: () => {},
  lookup: () => {},
  trouble: () => undefined,
  close: async () => {},
};

/** More than any line has: a report's body is bounded, a lookup's address too. */
const LONGEST_LINE_BYTES = 1024 * 1024;
const LINE_START = '{"t":';

/** Appends to `path` until it has `maxBytes`. A disk that fails ends the recording, not the daemon. */
export function createRecorder(path: string, maxBytes: number, startMs: number, log: Log): Recorder {
  let written = wholeLines(path);
  const file = createWriteStream(path, { flags: 'a' });
  let over = false;
  let trouble: string | undefined;
  file.on('error', (error) => {
    if (!over) log.error('recording-failed', { path, ...errorFields(error) });
    over = true;
    trouble = `the recording has ended: ${messageOf(error)}`;
  });
  const append = (entry: object): void => {
    if (over || file.writableLength > MAX_WAITING_BYTES) return;
    const line = `${JSON.stringify(entry)}\n`;
    if (written + line.length > maxBytes) {
      over = true;
      log.warn('recording-full', { path, maxBytes });
      return;
    }
    written += line.length;
    file.write(line);
  };
  const since = (nowMs: number): number => Math.round((nowMs - startMs) * 1_000) / 1_000;
  return {
    report: (report, nowMs) => append({ t: since(nowMs), report }),
    lookup: (request, nowMs) => append({ t: since(nowMs), lookup: request }),
    trouble: () => trouble,
    close: () =>
      new Promise((resolve) => {
        if (file.destroyed) resolve();
        else file.end(() => resolve());
      }),
  };
}

/** Bytes in the file at `path`, from which half a line at the end is taken: its Herald was killed as it wrote. */
function wholeLines(path: string): number {
  let file: number | undefined;
  try {
    file = openSync(path, 'r+');
    const { size } = fstatSync(file);
    const tail = Buffer.alloc(Math.min(size, LONGEST_LINE_BYTES));
    readSync(file, tail, 0, tail.length, size - tail.length);
    const half = tail.subarray(tail.lastIndexOf('\n') + 1);
    // A file of another kind, named here by mistake, stays as it is.
    if (half.length === 0 || !LINE_START.startsWith(half.toString('utf8', 0, LINE_START.length))) return size;
    ftruncateSync(file, size - half.length);
    return size - half.length;
  } catch {
    // It does not exist yet, or cannot be written, which the stream reports.
    return 0;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
