// (8) What a gateway answers over HTTP on its own port: whether it lives, whether it takes clients, and to
// operators where every message went, how long traced ones took, and why the last clients left.

import { isLoopback } from '../../daemon/address.ts';
import { problem, PROBLEM_CONTENT_TYPE } from '../../daemon/problem.ts';
import { sameText } from '../../daemon/secrets.ts';
import type { CloseAudit } from '../core/close-audit.ts';
import { KEPT_CLOSES } from '../core/close-audit.ts';
import type { TraceBook } from '../core/trace-book.ts';
import { KEPT_TRACES } from '../core/trace-book.ts';
import type { HttpAnswer, HttpQuestion } from './http-question.ts';

export interface HttpAnswersParts {
  gateway: string;
  /** Bearer token of operators; empty = only programs on this machine are answered, by a gateway for this machine. */
  adminToken: string;
  /** Clients of other machines are sent here: then what comes from this one may be a proxy with their words. */
  isPublic: boolean;
  audit: CloseAudit;
  traces: TraceBook;
  /** Whether newcomers are let in, and what else an operator may know of it. */
  ready: () => { ready: boolean } & object;
  /** Where every message went: its own books and those of its brokers' link. */
  ledger: () => object;
}

const NO_SUCH_ROUTE = 'GET has /livez, /readyz, /v1/closes, /v1/ledger and /v1/traces';

export function answerHttp(parts: HttpAnswersParts, question: HttpQuestion): HttpAnswer {
  const { method, path, query } = question;
  if (method !== 'GET') return refusal(404, 'no-such-route', `no ${method} here; ${NO_SUCH_ROUTE}`);
  switch (path) {
    case '/livez':
      return { status: 200, body: { live: true } };
    case '/readyz': {
      const state = parts.ready();
      return { status: state.ready ? 200 : 503, body: state };
    }
    case '/v1/closes':
    case '/v1/traces':
    case '/v1/ledger':
      return mayAsk(parts, question) ? answerOperator(parts, path, query) : refused(parts.adminToken);
    default:
      return refusal(404, 'no-such-route', NO_SUCH_ROUTE);
  }
}

function answerOperator(
  { gateway, audit, traces, ledger }: HttpAnswersParts,
  path: '/v1/closes' | '/v1/traces' | '/v1/ledger',
  query: URLSearchParams,
): HttpAnswer {
  if (path === '/v1/ledger') return { status: 200, body: { gateway, ...ledger() } };
  const most = path === '/v1/closes' ? KEPT_CLOSES : KEPT_TRACES;
  const wanted = Number(query.get('n') ?? most);
  if (!Number.isInteger(wanted) || wanted < 0) {
    return refusal(400, 'invalid-value', `n: expected an integer from 0 to ${most}`);
  }
  const found =
    path === '/v1/closes'
      ? { byCause: Object.fromEntries(audit.byCause), closes: audit.last(wanted) }
      : { traces: traces.last(wanted, query.get('id') ?? undefined) };
  return { status: 200, body: { gateway, ...found } };
}

/** Without a token only a program on this machine, and not one that passes on what others ask. */
function mayAsk({ adminToken, isPublic }: HttpAnswersParts, question: HttpQuestion): boolean {
  const { authorization, remoteAddress, forwarded } = question;
  if (adminToken !== '') return sameText(`Bearer ${adminToken}`, authorization ?? '');
  return !isPublic && !forwarded && isLoopback((remoteAddress ?? '').replace(/^::ffff:/, ''));
}

function refused(adminToken: string): HttpAnswer {
  return adminToken === ''
    ? refusal(
        403,
        'token-unset',
        'set adminToken; without it only a gateway whose url is of its own machine answers there',
      )
    : refusal(401, 'token-needed', 'send Authorization: Bearer <adminToken>');
}

function refusal(status: number, code: string, detail: string): HttpAnswer {
  return { status, body: problem(status, code, detail), contentType: PROBLEM_CONTENT_TYPE };
}
