// Opens thousands of connections to one port that mean no good: idle ones, ones that send a byte now and then,
// ones that send nonsense. A process of its own, so that its labour slows nobody's measurements. Arguments:
// port, number of slow ones, then the size of each wave of idle ones. Prints `flooding`, and at the end one
// JSON line, a FloodReport.

import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import type { Socket } from 'node:net';

export interface FloodReport {
  /** How long each was open before it was cut. */
  slowMs: number[];
  idleMs: number[];
  nonsense: number;
}

const [port = 0, slow = 0, ...waves] = process.argv.slice(2).map(Number);

interface Dialled {
  socket: Socket;
  opened: Promise<unknown>;
  lastedMs: Promise<number>;
}

function dial(): Dialled {
  const socket = connect(port, '127.0.0.1');
  let openMs = performance.now();
  socket.on('connect', () => (openMs = performance.now()));
  socket.on('error', () => {});
  socket.resume();
  return {
    socket,
    opened: new Promise((resolve) => socket.once('connect', resolve)),
    lastedMs: new Promise((resolve) => socket.once('close', () => resolve(performance.now() - openMs))),
  };
}

/** Writes a byte each 100 ms until it is cut. */
function drip(): Dialled {
  const dialled = dial();
  const timer = setInterval(() => dialled.socket.write('x'), 100);
  dialled.socket.once('close', () => clearInterval(timer));
  return dialled;
}

const over = new AbortController();
const babbling = (async () => {
  let sent = 0;
  for (; !over.signal.aborted; sent++) {
    const { socket, lastedMs } = dial();
    socket.write(randomBytes(8_192));
    await lastedMs;
  }
  return sent;
})();
const dripping = Array.from({ length: slow }, drip);
// A connection that this process itself sees late seems to last shorter: first these, then the crowd.
await Promise.all(dripping.map(({ opened }) => opened));
console.log('flooding');
const idleMs: number[] = [];
for (const size of waves) {
  idleMs.push(...(await Promise.all(Array.from({ length: size }, () => dial().lastedMs))));
}
over.abort();
const report: FloodReport = {
  slowMs: await Promise.all(dripping.map(({ lastedMs }) => lastedMs)),
  idleMs,
  nonsense: await babbling,
};
console.log(JSON.stringify(report));
