// What `herald record` listens to: every report and lookup as it comes in, one JSON object a line, in the
// form of recorder.ts. Costs nothing while nobody listens; a listener that does not read is dropped.

import type { ServerResponse } from 'node:http';
import type { LoadReport } from '../../protocol/load-report.ts';
import type { LookupRequest } from '../../protocol/lookup.ts';
import type { Recorder } from './recorder.ts';

const MAX_RECORD_LISTENERS = 4;
const MAX_UNREAD_BYTES = 8 * 1024 * 1024;

export interface RecordStream extends Recorder {
  /** False when there are too many listeners. `response` must not have been started. */
  listen(response: ServerResponse, nowMs: number): boolean;
  /** Ends all listeners, so that the port they came through can close. */
  hangUp(): void;
}

/** Passes everything on to `file` as well. Times a listener gets count from when it began to listen. */
export function createRecordStream(file: Recorder): RecordStream {
  const listeners = new Map<ServerResponse, number>();
  const tell = (nowMs: number, entry: { report: LoadReport } | { lookup: LookupRequest }): void => {
    for (const [response, sinceMs] of listeners) {
      if (response.writableLength > MAX_UNREAD_BYTES) response.destroy();
      else response.write(`${JSON.stringify({ t: Math.round(nowMs - sinceMs), ...entry })}\n`);
    }
  };
  return {
    report(report, nowMs) {
      file.report(report, nowMs);
      if (listeners.size > 0) tell(nowMs, { report });
    },
    lookup(request, nowMs) {
      file.lookup(request, nowMs);
      if (listeners.size > 0) tell(nowMs, { lookup: request });
    },
    listen(response, nowMs) {
      if (listeners.size >= MAX_RECORD_LISTENERS) return false;
      listeners.set(response, nowMs);
      response.once('close', () => listeners.delete(response));
      response.on('error', () => listeners.delete(response));
      response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
      response.flushHeaders();
      return true;
    },
    hangUp() {
      for (const response of listeners.keys()) response.end();
    },
    trouble: () => file.trouble(),
    close: () => file.close(),
  };
}
