// One Fastify instance per listener, all with the limits that keep slow and large requests from costing the
// others: Node's own defaults hold 4,000 half-sent requests for ever, these let none live past 4 s.

import type { IncomingMessage, ServerResponse } from 'node:http';
import fastify from 'fastify';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Address } from '../../daemon/address.ts';
import { boundAddress, formatAddress } from '../../daemon/address.ts';
import { listening } from '../../daemon/lifecycle.ts';
import type { Log } from '../../daemon/log.ts';
import { errorFields } from '../../daemon/log.ts';
import { NO_SCHEMAS } from '../../daemon/no-schemas.ts';
import type { Certificate } from '../../daemon/tls.ts';
import { createWebServer } from '../../daemon/tls.ts';
import { problem } from '../../daemon/problem.ts';
import { answerUnreadable, refuseInForm } from '../../daemon/raw-refusal.ts';
import { LOOKUP_LIMITS } from '../../protocol/lookup.ts';
import { frameworkProblem, sendProblem } from './problem.ts';

export interface HttpServerOptions {
  log: Log;
  /** Gets every route that is registered. */
  routes: string[];
  bodyLimitBytes: number;
  /** How long an idle connection is kept. */
  keepAliveMs: number;
  maxConnections: number;
  trustProxy?: boolean;
  /** Of TLS; without one the port speaks in the clear. */
  certificate?: Certificate | undefined;
}

const HTTP_LIMITS = {
  requestTimeout: 5_000,
  headersTimeout: 2_000,
  connectionsCheckingInterval: 500,
  maxHeaderSize: 16_384,
  requireHostHeader: false,
} as const;

export function createHttpServer(options: HttpServerOptions): FastifyInstance {
  const app = fastify({
    logger: false,
    bodyLimit: options.bodyLimitBytes,
    trustProxy: options.trustProxy ?? false,
    exposeHeadRoutes: false,
    schemaController: NO_SCHEMAS,
    forceCloseConnections: 'idle',
    // What comes on a kept connection meanwhile is answered as ever, and with `Connection: close`.
    return503OnClosing: false,
    routerOptions: { maxParamLength: 256, querystringParser: noQueryParser },
    serverFactory: (listener) =>
      createWebServer(
        { ...HTTP_LIMITS, keepAliveTimeout: options.keepAliveMs },
        options.certificate,
        options.log,
        listener,
      ),
    clientErrorHandler: answerUnreadable,
    frameworkErrors: (error, _request, reply) => {
      void sendProblem(reply, frameworkProblem(error) ?? problem(500, 'internal', 'see the log'));
    },
  });
  refuseInForm(app.server);
  app.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat()) options.routes.push(`${one} ${url}`);
  });
  app.server.maxConnections = options.maxConnections;
  // Bodies stay text until a handler decodes them: signatures are over the bytes, and refusals name fields.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) =>
    done(null, body),
  );
  app.setErrorHandler((error: Error & { statusCode?: number; code?: string }, request, reply) => {
    const refused = frameworkProblem(error);
    if (refused === undefined) {
      options.log.error('request-failed', {
        route: request.routeOptions.url,
        ...errorFields(error),
        stack: error.stack,
      });
    }
    return sendProblem(reply, refused ?? problem(500, 'internal', 'see the log'));
  });
  app.setNotFoundHandler((request, reply) =>
    sendProblem(
      reply,
      problem(
        404,
        'no-such-route',
        `no ${request.method} here; /openapi.json on the admin port lists what is`,
      ),
    ),
  );
  return app;
}

/** Answers a request, or says that it is none of its own. */
export type ShortWay = (request: IncomingMessage, response: ServerResponse) => boolean;

/**
 * Lets `shortWay` see requests before Fastify does, for the one road where routing, request and reply objects
 * would cost more than the answer. All limits of the server hold for it as well. While the server closes, all
 * goes through Fastify, which knows how to send clients away.
 */
export function addShortWay(app: FastifyInstance, shortWay: ShortWay): void {
  const usual = app.server.listeners('request') as ((...args: Parameters<ShortWay>) => void)[];
  app.server.removeAllListeners('request');
  app.server.on('request', (request, response) => {
    if (app.server.listening && request.headers.host !== undefined && shortWay(request, response)) return;
    for (const listener of usual) listener(request, response);
  });
}

/** Queries are decoded by src/protocol alone, from the raw URL; Fastify's parser would be paid for nothing. */
function noQueryParser(): Record<string, never> {
  return {};
}

/** The raw query of a request target, without its `?`; undefined when it is longer than allowed. */
export function rawQuery(target: string): string | undefined {
  const at = target.indexOf('?');
  if (at < 0) return '';
  return target.length - at > LOOKUP_LIMITS.maxQueryBytes ? undefined : target.slice(at + 1);
}

/** The query of a request; empty when it is longer than allowed. */
export function queryOf(request: FastifyRequest): URLSearchParams {
  return new URLSearchParams(rawQuery(request.raw.url ?? ''));
}

/** The body as received; empty when there was none. */
export function bodyText({ body }: FastifyRequest): string {
  return typeof body === 'string' ? body : '';
}

/** Binds; answers the address with the port the system chose. */
export async function listenHttp(app: FastifyInstance, address: Address, flag: string): Promise<Address> {
  await listening(app.listen({ host: address.host, port: address.port }), formatAddress(address), flag);
  return boundAddress(address, app.server);
}

/** Time that requests under way get at the end; a half-sent one would otherwise hold the close for ever. */
const CLOSE_GRACE_MS = 500;

export async function closeHttp(app: FastifyInstance): Promise<void> {
  const overdue = setTimeout(() => app.server.closeAllConnections(), CLOSE_GRACE_MS);
  await app.close();
  clearTimeout(overdue);
}
