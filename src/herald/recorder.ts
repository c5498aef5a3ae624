// Records what comes in, one JSON object a line, so that `herald sim --replay` can ask how another policy
// would have done: {"t": ms since the start, "report": LoadReport} or {"t": ms, "lookup": LookupRequest}.

import { createWriteStream } from 'node:fs';
import type { Log } from '../daemon/log.ts';
import { errorFields } from '../daemon/log.ts';
import type { LoadReport } from '../protocol/load-report.ts';
import type { LookupRequest } from '../protocol/lookup.ts';

export interface Recorder {
  report(report: LoadReport, nowMs: number): void;
  lookup(request: LookupRequest, nowMs: number): void;
  close(): Promise<void>;
}

/** Bytes that may wait for the disk; beyond, lines are left out, since a recording must not cost lookups. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;

export const noRecorder: Recorder = { report: () => {}, lookup: () => {}, close: async () => {} };

/** Appends to `path` until it wrote `maxBytes`. A disk that fails ends the recording, not the daemon. */
export function createRecorder(path: string, maxBytes: number, startMs: number, log: Log): Recorder {
  const file = createWriteStream(path, { flags: 'a' });
  let written = 0;
  let over = false;
  file.on('error', (error) => {
    if (!over) log.error('recording-failed', { path, ...errorFields(error) });
    over = true;
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
    close: () =>
      new Promise((resolve) => {
        if (file.destroyed) resolve();
        else file.end(() => resolve());
      }),
  };
}
