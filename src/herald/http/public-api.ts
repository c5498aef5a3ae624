// (5) The one listener made to face the world: lookup, redirect, health. It answers from memory alone.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../../daemon/clock.ts';
import type { Health } from '../health.ts';
import type { TicketOffice } from '../tickets.ts';
import { rawQuery } from './http-server.ts';
import type { LookupDesk } from './lookup-desk.ts';
import { createReplyWriter } from './lookup-desk.ts';
import { sendProblem } from './problem.ts';
import { locationOf, locationScheme } from './redirect-scheme.ts';

export interface PublicApiParts {
  desk: LookupDesk;
  tickets: TicketOffice;
  clock: Clock;
  health: (nowMs: number) => Health;
  corsOrigins: readonly string[];
}

const JSON_TYPE = 'application/json; charset=utf-8';

export function registerPublicApi(app: FastifyInstance, parts: PublicApiParts): void {
  const { desk, tickets, clock, health } = parts;
  const writeReply = createReplyWriter(tickets, clock);
  const allowOrigin = corsRule(parts.corsOrigins);

  app.get('/v1/lookup', (request, reply) => {
    allowOrigin(request, reply);
    const answer = desk.lookup(rawQuery(request.raw.url ?? ''));
    if (!answer.ok) {
      void sendProblem(reply, answer.problem);
      return;
    }
    void reply
      .header('content-type', JSON_TYPE)
      .header('cache-control', 'no-store')
      .send(writeReply(answer.found));
  });

  // Node hands an upgrade request to the ordinary handler as long as nobody listens for 'upgrade', so both
  // kinds take this road with all its limits and time-outs. The client's own query goes nowhere: it may
  // hold a secret, and the gateway is another host.
  app.get('/v1/connect', (request, reply) => {
    allowOrigin(request, reply);
    const query = rawQuery(request.raw.url ?? '');
    const isUpgrade = /websocket/i.test(request.headers.upgrade ?? '');
    // After a refused or redirected handshake the client opens a new connection; this one is done.
    if (isUpgrade) void reply.header('connection', 'close');
    const answer = desk.lookup(query);
    if (!answer.ok) {
      void sendProblem(reply, answer.problem);
      return;
    }
    const wanted = new URLSearchParams(query).get('location');
    const scheme = locationScheme(wanted, isUpgrade, request.headers['user-agent']);
    void reply
      .code(302)
      .header('location', locationOf(answer.found.best.url, scheme))
      .header('cache-control', 'no-store')
      .header('vary', 'upgrade, user-agent')
      .header('herald-gateway', answer.found.best.gateway)
      .header('herald-lookup-id', answer.found.lookupId)
      .send();
  });

  for (const path of ['/v1/lookup', '/v1/connect']) {
    app.options(path, (request, reply) => {
      allowOrigin(request, reply);
      void reply
        .code(204)
        .header('access-control-allow-methods', 'GET')
        .header('access-control-max-age', '86400')
        .send();
    });
  }

  // HAProxy and others probe with HEAD as well.
  app.get('/livez', { exposeHeadRoute: true }, (_request, reply) => {
    void reply
      .header('content-type', JSON_TYPE)
      .header('cache-control', 'no-store')
      .send('{"status":"alive"}');
  });
  app.get('/readyz', { exposeHeadRoute: true }, (_request, reply) => {
    const { unready, degraded } = health(clock.nowMs());
    const status = unready !== undefined ? 'unready' : degraded.length > 0 ? 'degraded' : 'ready';
    void reply
      .code(unready === undefined ? 200 : 503)
      .header('content-type', JSON_TYPE)
      .header('cache-control', 'no-store')
      .send(JSON.stringify({ status, ...(unready !== undefined && { reason: unready }), degraded }));
  });
}

function corsRule(origins: readonly string[]): (request: FastifyRequest, reply: FastifyReply) => void {
  if (origins.includes('*')) {
    return (_request, reply) => {
      void reply
        .header('access-control-allow-origin', '*')
        .header('access-control-expose-headers', 'retry-after');
    };
  }
  return (request, reply) => {
    const { origin } = request.headers;
    void reply.header('vary', 'origin');
    if (origin === undefined || !origins.includes(origin)) return;
    void reply
      .header('access-control-allow-origin', origin)
      .header('access-control-expose-headers', 'retry-after');
  };
}
