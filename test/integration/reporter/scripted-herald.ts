// An HTTP server that answers reports as a test tells it to: for what a healthy Herald never does.

import { once } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface SeenRequest {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
  atMs: number;
}

export interface ScriptedHerald {
  url: string;
  seen: SeenRequest[];
  /** The posted reports, decoded. */
  reports(): Record<string, unknown>[];
  /** Most requests that were under way at once. */
  mostAtOnce(): number;
  connectionsSeen(): number;
  openConnections(): number;
  answer: (seen: SeenRequest) => Answer | Promise<Answer>;
  close(): Promise<void>;
}

export interface Answer {
  status?: number;
  headers?: Record<string, string>;
  body: unknown;
}

export function feedbackReply(fields: Record<string, unknown> = {}): Answer {
  return { body: { accepted: 1, periodMs: 200, heraldId: 'h1', nowMs: 1_000, heralds: [], ...fields } };
}

export async function startScriptedHerald(port = 0): Promise<ScriptedHerald> {
  const seen: SeenRequest[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  let underWay = 0;
  let most = 0;
  const herald: ScriptedHerald = {
    url: '',
    seen,
    reports: () =>
      seen
        .filter(({ method }) => method === 'POST')
        .map(({ body }) => JSON.parse(body) as Record<string, unknown>),
    mostAtOnce: () => most,
    connectionsSeen: () => connections,
    openConnections: () => sockets.size,
    answer: () => feedbackReply(),
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
  const server = createServer((request, response) => {
    let body = '';
    underWay += 1;
    most = Math.max(most, underWay);
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const one: SeenRequest = {
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        body,
        atMs: performance.now(),
      };
      seen.push(one);
      void Promise.resolve(herald.answer(one)).then((answer) => {
        underWay -= 1;
        response.writeHead(answer.status ?? 200, { 'content-type': 'application/json', ...answer.headers });
        response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body));
      });
    });
  });
  server.keepAliveTimeout = 60_000;
  server.on('connection', (socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  herald.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return herald;
}
