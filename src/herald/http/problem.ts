// How Herald sends its refusals, with Fastify and without.

import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import type { FrameworkError } from '../../daemon/framework-refusal.ts';
import { frameworkRefusal } from '../../daemon/framework-refusal.ts';
import { problem, PROBLEM_CONTENT_TYPE } from '../../daemon/problem.ts';
import type { Refusal } from '../../protocol/decode.ts';
import { refusalText } from '../../protocol/decode.ts';
import type { Problem } from '../../protocol/lookup.ts';

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
    'content-type': PROBLEM_CONTENT_TYPE,
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
