// HTTP publish, for back ends without ZeroMQ: `POST /v1/publish` answers 202 once the owners of the topics
// have taken every message. Inside it is a publisher like any other, so a message finds its owner whichever
// broker was asked, and outlives that owner.

import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import fastify from 'fastify';
import type { Address } from '../../daemon/address.ts';
import { boundAddress, formatAddress } from '../../daemon/address.ts';
import { withinRoom } from '../../daemon/descriptors.ts';
import type { FrameworkError } from '../../daemon/framework-refusal.ts';
import { frameworkRefusal } from '../../daemon/framework-refusal.ts';
import { listening } from '../../daemon/lifecycle.ts';
import type { Log } from '../../daemon/log.ts';
import { errorFields } from '../../daemon/log.ts';
import { NO_SCHEMAS } from '../../daemon/no-schemas.ts';
import { problem, PROBLEM_CONTENT_TYPE } from '../../daemon/problem.ts';
import { answerUnreadable, refuseInForm } from '../../daemon/raw-refusal.ts';
import { sameText } from '../../daemon/secrets.ts';
import { refusalText } from '../../protocol/decode.ts';
import type { PublishIdentity, Publisher } from '../../publisher/index.ts';
import type { PublishError } from '../../publisher/publisher-errors.ts';
import { decodePublishRequest, PUBLISH_REQUEST_LIMITS } from './publish-request.ts';
import type { PublishItem } from './publish-request.ts';

export interface HttpPublishOptions {
  listen: Address;
  /** Bearer token to show; empty = none. */
  token: string;
  log: Log;
  publisher: Publisher;
  state: () => 'up' | 'draining';
  /** What is wrong while it still serves. */
  degraded: () => readonly string[];
  /** What `GET /v1/ledger` answers. */
  snapshot: () => unknown;
}

export interface HttpPublish {
  url: string;
  /** Answers what was taken, then closes. */
  close(): Promise<void>;
}

const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;
const MAX_CONNECTIONS = 4_096;
const RETRY_AFTER_SEC = '1';

export async function startHttpPublish(options: HttpPublishOptions): Promise<HttpPublish> {
  const { listen, log, publisher } = options;
  const failed = (error: Error & FrameworkError, reply: FastifyReply): FastifyReply => {
    const refusal = frameworkRefusal(error);
    if (refusal) return refuse(reply, refusal.status, refusal.code, refusal.detail);
    log.error('request-failed', { ...errorFields(error), stack: error.stack });
    return refuse(reply, 500, 'internal', 'see the log');
  };
  const app = fastify({
    logger: false,
    schemaController: NO_SCHEMAS,
    bodyLimit: PUBLISH_REQUEST_LIMITS.maxBodyBytes,
    // Node's defaults hold half-sent requests for ever.
    requestTimeout: 10_000,
    keepAliveTimeout: 30_000,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    clientErrorHandler: answerUnreadable,
    frameworkErrors: (error, _request, reply) => void failed(error, reply),
    http: {
      headersTimeout: 2_000,
      connectionsCheckingInterval: 500,
      maxHeaderSize: 16_384,
      requireHostHeader: false,
    },
  });
  refuseInForm(app.server);
  app.server.maxConnections = withinRoom(MAX_CONNECTIONS, 1 / 2);
  // JSON alone, which a page of another origin cannot send unasked; decoded by the handler.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  );
  app.setNotFoundHandler((request, reply) =>
    refuse(reply, 404, 'no-such-route', `no ${request.method} here; publish with POST /v1/publish`),
  );
  app.setErrorHandler((error: Error & FrameworkError, _request, reply) => failed(error, reply));

  app.get('/livez', () => ({ live: true }));
  app.get('/readyz', (_request, reply) => {
    if (options.state() !== 'up') return refuse(reply, 503, 'draining', 'this broker is leaving');
    const degraded = options.degraded();
    return { ready: true, ...(degraded.length > 0 && { degraded }) };
  });
  app.get('/v1/ledger', (request, reply) =>
    authorised(request, options.token) ? options.snapshot() : needToken(reply),
  );
  // Before the body is read: strangers could fill the memory with those.
  const onRequest = async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    if (request.headers.origin !== undefined) {
      return refuse(reply, 403, 'no-browsers', 'this port does not speak to pages');
    }
    return authorised(request, options.token) ? undefined : needToken(reply);
  };
  app.post('/v1/publish', { onRequest }, async (request, reply) => {
    const key = request.headers['idempotency-key'];
    if (key !== undefined && (typeof key !== 'string' || !IDEMPOTENCY_KEY.test(key))) {
      return refuse(reply, 400, 'bad-idempotency-key', 'Idempotency-Key: 1 to 255 printable characters');
    }
    const body = asText(request.body);
    if (body === undefined) return refuse(reply, 400, 'bad-request', 'the body is not UTF-8');
    const items = decodePublishRequest(body);
    if (!items.ok) return refuse(reply, 400, 'bad-request', refusalText(items.refusal));
    return publishAll(publisher, items.value, key === undefined ? undefined : senderOf(key, body), reply);
  });

  await listening(
    app.listen({ host: listen.host, port: listen.port }),
    formatAddress(listen),
    '--http-listen',
  );
  return {
    url: `http://${formatAddress(boundAddress(listen, app.server))}`,
    close: () => app.close(),
  };
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Undefined for what is not UTF-8; a character that replaced it would go to every subscriber. */
function asText(body: unknown): string | undefined {
  try {
    return utf8.decode(body instanceof Uint8Array ? body : new Uint8Array());
  } catch {
    return undefined;
  }
}

/**
 * Key and body become the identity of the messages, so that a retry is known as one at whichever broker it lands. The
 * body too, or the messages of another one under the same key would be acked and dropped as duplicates.
 */
function senderOf(key: string, body: string): string {
  return `k-${createHash('sha256').update(`${key}\n${body}`).digest('hex').slice(0, 40)}`;
}

async function publishAll(
  publisher: Publisher,
  items: readonly PublishItem[],
  sender: string | undefined,
  reply: FastifyReply,
): Promise<unknown> {
  const identity = (sequence: number): PublishIdentity | undefined =>
    sender === undefined ? undefined : { publisher: sender, sequence };
  const results = await Promise.allSettled(
    items.map(({ topic, json }, index) => publisher.publishJson(topic, json, identity(index))),
  );
  const failures = results.flatMap((result) =>
    result.status === 'rejected' ? [result.reason as PublishError] : [],
  );
  const [first] = failures;
  if (!first) return reply.code(202).send({ accepted: items.length });
  void reply.header('retry-after', RETRY_AFTER_SEC);
  const done = items.length - failures.length;
  return refuse(reply, 503, first.code, `${done} of ${items.length} were published: ${first.message}`);
}

function authorised(request: FastifyRequest, token: string): boolean {
  return token === '' || sameText(request.headers.authorization ?? '', `Bearer ${token}`);
}

function needToken(reply: FastifyReply): FastifyReply {
  void reply.header('www-authenticate', 'Bearer');
  return refuse(reply, 401, 'token-needed', 'Authorization: Bearer <publish token>');
}

function refuse(reply: FastifyReply, status: number, code: string, detail: string): FastifyReply {
  return reply
    .code(status)
    .type(PROBLEM_CONTENT_TYPE)
    .send(problem(status, code, detail));
}
