// (1) -> (2) The listener for gateways, brokers and publishers. Never for browsers: it takes JSON only, which a page
// of another origin cannot send unasked, and refuses whatever carries an Origin.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../../daemon/clock.ts';
import { NONCE_HEADER, SIGNATURE_HEADER } from '../../daemon/secrets.ts';
import { problem } from '../../daemon/problem.ts';
import { decodeBrokerAddress } from '../../protocol/broker-address.ts';
import { decodeJson, refusalText } from '../../protocol/decode.ts';
import type { BrokerBook } from '../brokers/broker-book.ts';
import { MAX_BROKERS } from '../brokers/broker-book.ts';
import type { Balancer } from '../core/balancer-types.ts';
import type { TakeFeedback } from './feedback-desk.ts';
import type { SignatureCheck } from './feedback-signature.ts';
import { bodyText, queryOf } from './http-server.ts';
import { sendJson } from './json.ts';
import { refusalProblem, sendProblem } from './problem.ts';
import type { ReportConnections } from './report-connections.ts';

export interface ControlApiParts {
  balancer: Balancer;
  clock: Clock;
  signatures: SignatureCheck;
  takeFeedback: TakeFeedback;
  connections: ReportConnections;
  brokers: BrokerBook;
}

interface Named {
  Params: { id: string };
}

export function registerControlApi(app: FastifyInstance, parts: ControlApiParts): void {
  const { balancer, clock, signatures, takeFeedback, connections, brokers } = parts;

  app.addHook('onRequest', (request, reply, done) => {
    const nonce = signatures.nonce();
    if (nonce !== undefined) void reply.header(NONCE_HEADER, nonce);
    if (request.headers.origin === undefined) done();
    else void sendProblem(reply, problem(403, 'no-browsers', 'this port does not speak to pages'));
  });

  /** The signer, or undefined after a 401 was sent. */
  const signedBy = (request: FastifyRequest, reply: FastifyReply, body: string): string | undefined => {
    const signer = signatures.signer(request.headers[SIGNATURE_HEADER], body);
    if (signer.ok) return signer.value;
    void reply.header('www-authenticate', 'Herald-Signature');
    void sendProblem(reply, problem(401, 'signature-needed', refusalText(signer.refusal)));
    return undefined;
  };

  /**
   * Signed without a body, which nothing else is: a report that somebody recorded is no goodbye, and a goodbye is taken
   * once. False after a refusal was sent.
   */
  const isGoodbyeOf = (id: string, code: string, request: FastifyRequest, reply: FastifyReply): boolean => {
    const signer = signedBy(request, reply, '');
    if (signer === undefined) return false;
    if (signer !== '' && signer !== id) {
      void sendProblem(reply, problem(403, code, `signed by ${signer}`));
      return false;
    }
    signatures.spend(id);
    return true;
  };

  app.post('/v1/feedback', (request, reply) => {
    const body = bodyText(request);
    const signer = signedBy(request, reply, body);
    if (signer === undefined) return;
    const feedback = takeFeedback(body, signer, request.raw.socket);
    if (feedback.ok) sendJson(reply, feedback.answer);
    else void sendProblem(reply, feedback.problem);
  });

  // The goodbye of a gateway that leaves in order: not named from now on, and no alarm when it closes.
  app.delete<Named>('/v1/feedback/:id', (request, reply) => {
    const { id } = request.params;
    if (!isGoodbyeOf(id, 'not-your-gateway', request, reply)) return;
    connections.goodbye(id);
    balancer.leave(id, clock.nowMs());
    void reply.code(204).send();
  });

  app.get('/v1/brokers', (_request, reply) => sendJson(reply, { brokers: brokers.list(clock.nowMs()) }));

  app.post('/v1/brokers', (request, reply) => {
    const body = bodyText(request);
    const signer = signedBy(request, reply, body);
    if (signer === undefined) return;
    const json = decodeJson(body);
    const broker = json.ok ? decodeBrokerAddress(json.value) : json;
    if (!broker.ok) {
      void sendProblem(reply, refusalProblem(broker.refusal));
      return;
    }
    if (signer !== '' && signer !== broker.value.id) {
      void sendProblem(reply, problem(403, 'not-your-broker', `signed by ${signer}`));
      return;
    }
    const taken = brokers.announce(broker.value, clock.nowMs());
    if (taken === 'full') {
      void sendProblem(reply, problem(503, 'too-many-brokers', `at most ${MAX_BROKERS} brokers`));
      return;
    }
    if (taken === 'replaced') {
      const detail = `another broker came after this one as ${broker.value.id}; one of them needs another id`;
      void sendProblem(reply, problem(409, 'broker-replaced', detail));
      return;
    }
    sendJson(reply, { brokers: brokers.list(clock.nowMs()) });
  });

  app.delete<Named>('/v1/brokers/:id', (request, reply) => {
    const { id } = request.params;
    if (!isGoodbyeOf(id, 'not-your-broker', request, reply)) return;
    brokers.withdraw(id, queryOf(request).get('epoch') ?? '');
    void reply.code(204).send();
  });
}
