// Free loopback ports, from below the range the kernel takes outgoing connections from: a client that keeps
// trying to reach a stopped server can be given that very port as its own, connect to itself, and hold it
// for ever. All ports of one request are held together, so that they differ from each other.

import { createServer } from 'node:net';
import type { Server } from 'node:net';

const FIRST = 12_000;
const LAST = 32_000;

export async function freePorts(count: number): Promise<number[]> {
  const held = new Map<number, Server>();
  while (held.size < count) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    const server = await hold(port);
    if (server) held.set(port, server);
  }
  await Promise.all([...held.values()].map((server) => new Promise((resolve) => server.close(resolve))));
  return [...held.keys()];
}

/** The server that holds a port, or undefined when somebody else does. */
function hold(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

export async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  return port!;
}

/** Whether anybody could listen there now. */
export async function isFree(port: number): Promise<boolean> {
  const server = await hold(port);
  if (!server) return false;
  await new Promise((resolve) => server.close(resolve));
  return true;
}
