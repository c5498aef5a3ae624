// JSON answers of the three listeners, but for lookups (public-api.ts).

import type { FastifyReply } from 'fastify';

export function sendJson(reply: FastifyReply, body: unknown): FastifyReply {
  return sendJsonText(reply, JSON.stringify(body));
}

/** `text` is JSON already. */
export function sendJsonText(reply: FastifyReply, text: string): FastifyReply {
  return reply
    .header('content-type', 'application/json; charset=utf-8')
    .header('cache-control', 'no-store')
    .send(text);
}
