// Every refusal over HTTP has one form, RFC 9457 `application/problem+json`, and a stable code.

import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import type { FrameworkError } from '../../daemon/framework-refusal.ts';
import { frameworkRefusal } from '../../daemon/framework-refusal.ts';
import type { Refusal } from '../../protocol/decode.ts';
import { refusalText } from '../../protocol/decode.ts';
import type { Problem } from '../../protocol/lookup.ts';
import { PROBLEM_TYPE_PREFIX } from '../../protocol/lookup.ts';

const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Not authenticated',
  403: 'Forbidden',
  404: 'Not found',
  405: 'Method not allowed',
  408: 'Request timeout',
  413: 'Body too large',
  414: 'Query too long',
  415: 'Unsupported media type',
  421: 'Wrong host',
  429: 'Too many requests',
  500: 'Internal error',
  503: 'Not available',
};

export function problem(
  status: number,
  code: string,
  detail: string,
  more: Partial<Pick<Problem, 'retryAfterMs' | 'refused'>> = {},
): Problem {
  return {
    type: PROBLEM_TYPE_PREFIX + code,
    title: TITLES[status] ?? 'Refused',
    status,
    detail,
    code,
    ...more,
  };
}

export function sendProblem(reply: FastifyReply, body: Problem): FastifyReply {
  return reply.code(body.status).headers(problemHeaders(body)).send(JSON.stringify(body));
}

/** The same without Fastify. */
export function writeProblem(
  response: ServerResponse,
  headers: Readonly<Record<string, string>>,
  body: Problem,
): void {
  const text = JSON.stringify(body);
  response.writeHead(body.status, {
    ...headers,
    ...problemHeaders(body),
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}

function problemHeaders({ retryAfterMs }: Problem): Record<string, string> {
  return {
    'cache-control': 'no-store',
    'content-type': PROBLEM_TYPE,
    ...(retryAfterMs !== undefined && {
      'retry-after': String(Math.max(1, Math.ceil(retryAfterMs / 1_000))),
    }),
  };
}

/** A 400 that names field, value and expectation. */
export function refusalProblem(refusal: Refusal): Problem & Refusal {
  return { ...problem(400, 'invalid-value', refusalText(refusal)), ...refusal };
}

/** An error Fastify raised before a handler ran, as a problem; undefined when it is a defect of ours. */
export function frameworkProblem(error: FrameworkError): Problem | undefined {
  const refusal = frameworkRefusal(error);
  return refusal && problem(refusal.status, refusal.code, refusal.detail);
}
