// The clients of bench/lookup-http.ts: as many at a time as `CLIENTS`, on kept connections or on one connection a request, at
// a given rate or each with its next request as soon as the last is answered.

import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { LoadOrder, LoadResult, Mode } from './words.ts';

const CLIENTS = 32;
const PER_SEC: Record<Mode, number> = {
  'kept-flat-out': Infinity,
  'one-each-flat-out': Infinity,
  kept: 2_000,
  'one-each': 700,
};

process.on('disconnect', () => process.exit(0));
process.on('message', (order: LoadOrder) => {
  void runLoad(order).then((result) => process.send?.(result));
});

async function runLoad({ port, mode, requests }: LoadOrder): Promise<LoadResult> {
  const tookMs: number[] = [];
  let left = requests;
  const worker = mode.startsWith('one-each') ? oneEachWorker : keptWorker;
  const startMs = performance.now();
  let sent = 0;
  // The moment at which the next request is due, of all workers together.
  const due: Due = async () => {
    const waitMs = startMs + (1_000 * sent++) / PER_SEC[mode] - performance.now();
    if (waitMs > 0) await pause(waitMs);
  };
  await Promise.all(
    Array.from({ length: CLIENTS }, () =>
      worker(
        port,
        () => left-- > 0,
        due,
        (ms) => tookMs.push(ms),
      ),
    ),
  );
  const seconds = (performance.now() - startMs) / 1_000;
  tookMs.sort((a, b) => a - b);
  const at = (share: number): number => tookMs[Math.floor(tookMs.length * share)] ?? NaN;
  return { requestsPerSec: requests / seconds, p50Ms: at(0.5), p99Ms: at(0.99) };
}

type Due = () => Promise<void>;
type Worker = (port: number, more: () => boolean, due: Due, done: (ms: number) => void) => Promise<void>;

const keptWorker: Worker = (port, more, due, done) =>
  new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const request = 'GET /v1/lookup HTTP/1.1\r\nHost: herald\r\n\r\n';
    let text = '';
    let sentMs = 0;
    const next = async (): Promise<void> => {
      if (!more()) {
        socket.destroy();
        resolve();
        return;
      }
      await due();
      sentMs = performance.now();
      socket.write(request);
    };
    socket.setEncoding('latin1');
    socket.on('connect', () => void next());
    socket.on('error', reject);
    socket.on('data', (chunk: string) => {
      text += chunk;
      const end = text.indexOf('\r\n\r\n');
      const length = Number(/content-length: (\d+)/i.exec(text)?.[1]);
      if (end < 0 || text.length < end + 4 + length) return;
      if (!text.startsWith('HTTP/1.1 200')) reject(new Error(text.slice(0, 80)));
      text = '';
      done(performance.now() - sentMs);
      void next();
    });
  });

const oneEachWorker: Worker = async (port, more, due, done) => {
  while (more()) {
    await due();
    const sentMs = performance.now();
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    socket.write('GET /v1/lookup HTTP/1.1\r\nHost: herald\r\nConnection: close\r\n\r\n');
    socket.resume();
    await once(socket, 'close');
    done(performance.now() - sentMs);
  }
};
