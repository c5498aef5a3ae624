// (1) The places of the control port. A gateway that finds all of them taken is told so, since a connection that is just
// cut would look like a dead Herald; and the operator hears of it before that happens.

import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Log } from '../../daemon/log.ts';
import { problem } from '../../daemon/problem.ts';
import { sendProblem } from './problem.ts';

/** Share of the connections kept free for telling newcomers that the others are taken. */
const FOR_REFUSALS = 1 / 16;
const NEARLY_FULL = 0.9;
const COME_BACK_MS = 5_000;

export interface Places {
  /** What is wrong, once nearly all are taken. */
  trouble(): string | undefined;
}

/** `most`: descriptors for connections of this port. */
export function createPlaces(app: FastifyInstance, most: number, log: Log): Places {
  const places = most - Math.ceil(most * FOR_REFUSALS);
  const refused = new WeakSet<Socket>();
  let taken = 0;
  let wasSaid = false;
  const isNearlyFull = (): boolean => taken >= places * NEARLY_FULL;

  app.server.on('connection', (socket: Socket) => {
    if (taken >= places) {
      refused.add(socket);
      if (!wasSaid) log.warn('control-port-full', { connections: taken });
      wasSaid = true;
      return;
    }
    taken += 1;
    socket.once('close', () => {
      taken -= 1;
      if (!isNearlyFull()) wasSaid = false;
    });
  });
  app.addHook('onRequest', (request, reply, done) => {
    if (!refused.has(request.raw.socket)) {
      done();
      return;
    }
    const detail = `all ${places} connections of the control port are taken; raise LimitNOFILE of this Herald`;
    void reply.header('connection', 'close');
    void sendProblem(reply, problem(503, 'control-port-full', detail, { retryAfterMs: COME_BACK_MS }));
  });
  return {
    trouble: () => (isNearlyFull() ? `control port: ${taken} of ${places} connections are taken` : undefined),
  };
}
