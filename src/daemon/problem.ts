// Every refusal over HTTP has one form, RFC 9457 `application/problem+json`, and a stable code.

import type { Problem } from '../protocol/lookup.ts';
import { PROBLEM_TYPE_PREFIX } from '../protocol/lookup.ts';

export const PROBLEM_CONTENT_TYPE = 'application/problem+json; charset=utf-8';

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
  417: 'Expectation failed',
  421: 'Wrong host',
  429: 'Too many requests',
  431: 'Headers too large',
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
