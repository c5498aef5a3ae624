// A plain HTTP server on a free loopback port: for answers that no Herald gives, and for pages of a test's own.

import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';

export interface HttpServer {
  /** Without a slash at its end. */
  url: string;
  /** Cuts off who is still connected. */
  close(): Promise<void>;
}

export async function httpServer(answer: RequestListener): Promise<HttpServer> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

const TYPES: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript' };

/** Pages and scripts of the repository, by their paths in it. */
export function fileServer(): Promise<HttpServer> {
  return httpServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://x');
    readFile(join(process.cwd(), pathname)).then(
      (text) => response.setHeader('content-type', TYPES[extname(pathname)] ?? 'text/plain').end(text),
      () => response.writeHead(404).end('no such file'),
    );
  });
}
