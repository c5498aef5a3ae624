// Live table for the page and `herald top`: server-sent events (HTML standard, section 9.2). One snapshot is
// written as text once a beat for all watchers; a watcher that does not read is dropped, not waited for.

import type { ServerResponse } from 'node:http';
import { every } from '../../daemon/clock.ts';

export interface TableStream {
  /** False when all places are taken. `response` must not have been started. */
  watch(response: ServerResponse): boolean;
  close(): void;
}

const MAX_WATCHERS = 64;
const BEAT_MS = 500;
/** Unread bytes at which a watcher is dropped: a table of 10,000 rows fits once. */
const MAX_UNREAD_BYTES = 8 * 1024 * 1024;

/** `tableJson` is called once a beat, and only while somebody watches. It must not reject. */
export function createTableStream(tableJson: () => Promise<string>): TableStream {
  const watchers = new Set<ServerResponse>();
  const event = async (): Promise<string> => `event: table\ndata: ${await tableJson()}\n\n`;
  let underWay = false;
  const beat = async (): Promise<void> => {
    underWay = true;
    const text = await event();
    underWay = false;
    for (const response of watchers) {
      if (response.writableLength > MAX_UNREAD_BYTES) response.destroy();
      else response.write(text);
    }
  };
  const stop = every(BEAT_MS, () => {
    if (watchers.size > 0 && !underWay) void beat();
  });
  return {
    watch(response) {
      if (watchers.size >= MAX_WATCHERS) return false;
      watchers.add(response);
      response.once('close', () => watchers.delete(response));
      response.on('error', () => watchers.delete(response));
      response.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      });
      void event().then((text) => watchers.has(response) && response.write(text));
      return true;
    },
    close() {
      stop();
      for (const response of watchers) response.end();
      watchers.clear();
    },
  };
}
