// (5) The one listener made to face the world: lookup, redirect, health. It answers from memory alone.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import type { Clock } from '../../daemon/clock.ts';
import type { Problem } from '../../protocol/lookup.ts';
import type { Health } from '../status/health.ts';
import type { TicketOffice } from '../ticket-office.ts';
import type { AnswerWriter } from './answer-writer.ts';
import { createAnswerWriter } from './answer-writer.ts';
import { inBursts } from './bursts.ts';
import { addShortWay, rawQuery } from './http-server.ts';
import { sendJson } from './json.ts';
import type { LookupDesk } from './lookup-desk.ts';
import { createReplyWriter } from './lookup-reply.ts';
import { sendProblem, writeProblem } from './problem.ts';
import { locationOf, locationScheme } from './redirect-scheme.ts';

export interface PublicApiParts {
  desk: LookupDesk;
  tickets: TicketOffice;
  clock: Clock;
  health: () => Health;
  corsOrigins: readonly string[];
}

/** `text`: the JSON of a reply, all ASCII, so that characters are bytes. */
type LookupAnswer = { allowed: CorsHeaders } & ({ text: string } | { problem: Problem });
type CorsHeaders = Readonly<Record<string, string>>;

const LOOKUP_PATH = '/v1/lookup';
const ANSWER = { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' } as const;

export function registerPublicApi(app: FastifyInstance, parts: PublicApiParts): void {
  const { desk, tickets, clock, health } = parts;
  const writeReply = createReplyWriter(tickets, clock);
  const cors = corsRule(parts.corsOrigins);
  const writers = new WeakMap<CorsHeaders, AnswerWriter>();

  const decide = (request: IncomingMessage): LookupAnswer => {
    const allowed = cors(request);
    const answer = desk.lookup(rawQuery(request.url ?? ''));
    return answer.ok
      ? { allowed, text: writeReply(answer.found, answer.nowMs) }
      : { allowed, problem: answer.problem };
  };
  const send = (response: ServerResponse, answer: LookupAnswer): void => {
    if ('problem' in answer) {
      writeProblem(response, answer.allowed, answer.problem);
      return;
    }
    let write = writers.get(answer.allowed);
    if (write === undefined) {
      write = createAnswerWriter({ ...answer.allowed, ...ANSWER }, clock);
      writers.set(answer.allowed, write);
    }
    write(response, answer.text);
  };
  const answerLookup = inBursts(clock, decide, send);
  addShortWay(app, (request, response) => {
    if (request.method !== 'GET' || !isLookup(request.url ?? '')) return false;
    answerLookup(request, response);
    return true;
  });
  app.get(LOOKUP_PATH, (request, reply) => {
    reply.hijack();
    answerLookup(request.raw, reply.raw);
  });

  // Node hands an upgrade request to the ordinary handler as long as nobody listens for 'upgrade', so both
  // kinds take this road with all its limits and time-outs. The client's own query goes nowhere: it may
  // hold a secret, and the gateway is another host.
  app.get('/v1/connect', (request, reply) => {
    void reply.headers(cors(request));
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
      .header('vary', 'origin, upgrade, user-agent')
      .header('herald-gateway', answer.found.best.gateway)
      .header('herald-lookup-id', answer.found.lookupId)
      .send();
  });

  for (const path of [LOOKUP_PATH, '/v1/connect']) {
    app.options(path, (request, reply) => {
      void reply
        .headers(cors(request))
        .code(204)
        .header('access-control-allow-methods', 'GET')
        .header('access-control-max-age', '86400')
        .send();
    });
  }

  // HAProxy and others probe with HEAD as well.
  app.get('/livez', { exposeHeadRoute: true }, (_request, reply) => {
    sendJson(reply, { status: 'alive' });
  });
  app.get('/readyz', { exposeHeadRoute: true }, (_request, reply) => {
    const { unready, degraded } = health();
    const status = unready !== undefined ? 'unready' : degraded.length > 0 ? 'degraded' : 'ready';
    void reply.code(unready === undefined ? 200 : 503);
    sendJson(reply, { status, ...(unready !== undefined && { reason: unready }), degraded });
  });
}

function isLookup(target: string): boolean {
  return target === LOOKUP_PATH || target.startsWith(`${LOOKUP_PATH}?`);
}

/** The headers that let the page that asks read the answer. Where any may, none of the request's are looked at. */
function corsRule(origins: readonly string[]): (request: Pick<IncomingMessage, 'headers'>) => CorsHeaders {
  const any = { 'access-control-allow-origin': '*', 'access-control-expose-headers': 'retry-after' };
  if (origins.includes('*')) return () => any;
  const varying = { vary: 'origin' };
  const named = new Map(
    origins.map((origin) => [origin, { ...any, ...varying, 'access-control-allow-origin': origin }]),
  );
  return ({ headers }) => named.get(headers.origin ?? '') ?? varying;
}
