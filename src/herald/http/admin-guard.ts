// Who may come in at the admin listener. With a token: whoever shows it. Without: whoever is on this machine,
// so a page of another origin must be kept from borrowing the operator's browser: by its Host (DNS
// rebinding), by its Origin, and because only JSON bodies change anything, which pages cannot send unasked.

import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isIP } from 'node:net';
import { sameText } from '../../daemon/secrets.ts';
import { problem } from '../../daemon/problem.ts';
import type { Problem } from '../../protocol/lookup.ts';
import { sendProblem } from './problem.ts';

/** Paths that hold no data: the page itself asks for the token. */
const OPEN_PATH = /^\/(page\/[^/]*|openapi\.json|livez)?$/;

export function guardAdmin(app: FastifyInstance, token: string, hosts: readonly string[]): void {
  app.addHook('onRequest', (request, reply, done) => {
    const refused =
      strangeHost(request, token, hosts) ?? strangeOrigin(request) ?? withoutToken(request, token);
    if (refused === undefined) {
      done();
      return;
    }
    if (refused.status === 401) void reply.header('www-authenticate', 'Bearer realm="herald"');
    void sendProblem(reply, refused);
  });
}

function strangeHost(request: FastifyRequest, token: string, hosts: readonly string[]): Problem | undefined {
  // A stolen page does not know the token, so with one any name will do.
  if (token !== '') return undefined;
  const name = hostName(request.headers.host);
  if (name === 'localhost' || isIP(name) !== 0 || hosts.includes(name)) return undefined;
  return problem(421, 'wrong-host', `Host ${name.slice(0, 80)} is not one of adminHosts`);
}

function strangeOrigin(request: FastifyRequest): Problem | undefined {
  const { origin, host } = request.headers;
  if (origin === undefined || request.method === 'GET') return undefined;
  const same = URL.canParse(origin) && new URL(origin).host === host;
  return same ? undefined : problem(403, 'wrong-origin', 'this page may not change anything here');
}

function withoutToken(request: FastifyRequest, token: string): Problem | undefined {
  if (token === '' || OPEN_PATH.test(request.url.split('?', 1)[0] ?? '')) return undefined;
  const shown = /^Bearer ([\x20-\x7e]{1,4096})$/i.exec(request.headers.authorization ?? '')?.[1];
  if (shown !== undefined && sameText(shown, token)) return undefined;
  return problem(401, 'token-needed', 'send Authorization: Bearer <adminToken>');
}

/** `[::1]:7403` -> `::1`, `localhost:7403` -> `localhost`. */
function hostName(host: string | undefined): string {
  return (host ?? '')
    .replace(/:\d+$/, '')
    .replace(/^\[|\]$/g, '')
    .toLowerCase();
}
