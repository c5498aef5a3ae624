// Serves the operators' page: files without a build step, read once at the start.

import { readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import type { FastifyInstance, FastifyReply } from 'fastify';

const FOLDER = new URL('./page/', import.meta.url);
const INDEX = 'index.html';
const TYPES: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };

/** Nothing from elsewhere, nothing inline, no framing: gateway names come from outside and must stay text. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export function registerOpsPage(app: FastifyInstance): void {
  const files = new Map(
    readdirSync(FOLDER).map((name) => [name, readFileSync(new URL(name, FOLDER), 'utf8')]),
  );
  const send = (reply: FastifyReply, name: string): void => {
    const content = files.get(name);
    if (content === undefined) {
      reply.callNotFound();
      return;
    }
    void reply
      .header('content-type', `${TYPES[extname(name)] ?? 'text/plain'}; charset=utf-8`)
      .header('cache-control', 'no-cache')
      .header('content-security-policy', POLICY)
      .header('x-content-type-options', 'nosniff')
      .header('referrer-policy', 'no-referrer')
      .send(content);
  };
  app.get('/', (_request, reply) => send(reply, INDEX));
  app.get<{ Params: { file: string } }>('/page/:file', ({ params }, reply) => send(reply, params.file));
}
