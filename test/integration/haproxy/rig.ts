// Real gateways in miniature behind a real HAProxy: WebSocket servers that report a load the test sets.

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import WebSocket, { WebSocketServer } from 'ws';
import type { Haproxy, HaproxyServerState } from '../../launch/haproxy.ts';
import { until } from '../../launch/until.ts';
import { createServer } from 'node:http';

export interface MiniGateway {
  id: string;
  url: string;
  cpu: number;
  state: 'up' | 'draining';
  /** No reports while set. */
  silent: boolean;
  /** Open connections. */
  connections: () => number;
  close(): Promise<void>;
}

export async function miniGateway(id: string, cpu: number): Promise<MiniGateway> {
  // As a plain `ws` server answers what is no WebSocket.
  const server = createServer((_request, response) => response.writeHead(426).end());
  const sockets = new WebSocketServer({ server, path: '/ws' });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  sockets.on('connection', (socket) => {
    socket.send(id);
    socket.on('message', (data) => socket.send(data as Buffer, { binary: false }));
  });
  const { port } = server.address() as AddressInfo;
  return {
    id,
    url: `ws://127.0.0.1:${port}/ws`,
    cpu,
    state: 'up',
    silent: false,
    connections: () => sockets.clients.size,
    async close() {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const REPORT_MS = 250;

/** Reports for all gateways to the Heralds at `controls()` until stopped; a Herald that is away is skipped. */
export function keepReporting(
  gateways: readonly MiniGateway[],
  controls: () => readonly string[],
): () => void {
  let seq = 0;
  const report = async (): Promise<void> => {
    seq += 1;
    const body = JSON.stringify(
      gateways
        .filter(({ silent }) => !silent)
        .map(({ id, url, cpu, state, connections }) => ({
          v: 1,
          gateway: id,
          url,
          bootId: 'b',
          seq,
          cpu,
          state,
          connections: connections(),
          periodMs: REPORT_MS,
        })),
    );
    const headers = { 'content-type': 'application/json' };
    await Promise.allSettled(
      controls().map(async (control) => {
        const answer = await fetch(`${control}/v1/feedback`, {
          method: 'POST',
          headers,
          body,
          signal: AbortSignal.timeout(1_000),
        });
        await answer.arrayBuffer();
      }),
    );
  };
  void report();
  const timer = setInterval(() => void report(), REPORT_MS);
  return () => clearInterval(timer);
}

export function defaults(): string {
  return `defaults
  mode http
  timeout client 30s
  timeout connect 3s
  timeout server 30s
  timeout tunnel 1h
`;
}

export function frontend(port: number, backend: string): string {
  return `frontend in
  bind 127.0.0.1:${port}
  default_backend ${backend}
`;
}

/** Opens WebSockets through HAProxy, a few at a time; each tells which gateway it reached. */
export async function connectMany(
  port: number,
  count: number,
): Promise<{ socket: WebSocket; gateway: string }[]> {
  const opened: { socket: WebSocket; gateway: string }[] = [];
  const worker = async (): Promise<void> => {
    while (opened.length + underWay < count) {
      underWay += 1;
      const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`);
      const [message] = (await once(socket, 'message')) as [Buffer];
      underWay -= 1;
      opened.push({ socket, gateway: message.toString() });
    }
  };
  let underWay = 0;
  await Promise.all(Array.from({ length: 8 }, worker));
  return opened;
}

export function shares(opened: readonly { gateway: string }[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { gateway } of opened) counts[gateway] = (counts[gateway] ?? 0) + 1 / opened.length;
  return counts;
}

export async function serverOf(haproxy: Haproxy, server: string): Promise<HaproxyServerState> {
  const found = (await haproxy.servers()).find((one) => one.server === server);
  if (!found) throw new Error(`HAProxy has no server ${server}`);
  return found;
}

/** Waits until `fits` says yes to the server's state; answers how long that took, in ms. */
export async function becomes(
  haproxy: Haproxy,
  server: string,
  what: string,
  fits: (state: HaproxyServerState) => boolean,
  deadlineMs: number,
): Promise<number> {
  const startMs = performance.now();
  await until(`${server} to be ${what}`, async () => fits(await serverOf(haproxy, server)), deadlineMs);
  return performance.now() - startMs;
}
