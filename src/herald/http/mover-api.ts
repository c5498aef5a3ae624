// `GET` and `POST /v1/mover` on the admin listener: what is being moved, and the way to stop it.

import type { FastifyInstance } from 'fastify';
import type { Clock } from '../../daemon/clock.ts';
import { problem } from '../../daemon/problem.ts';
import type { Balancer, MoverMode, MoverRecord } from '../core/balancer-types.ts';
import type { OperatorDesk } from '../operator-desk.ts';
import { bodyText } from './http-server.ts';
import { sendJson } from './json.ts';
import { decodeMoverRequest } from './operator-request.ts';
import { refusalProblem, sendProblem } from './problem.ts';

export interface MoverView {
  leaseHeld: boolean;
  modes: Record<string, MoverMode>;
  orders: (Omit<MoverRecord, 'atMs'> & { ageMs: number })[];
}

export interface MoverApiParts {
  balancer: Balancer;
  clock: Clock;
  desk: OperatorDesk;
}

export function registerMoverApi(app: FastifyInstance, { balancer, clock, desk }: MoverApiParts): void {
  const view = (): MoverView => {
    const nowMs = clock.nowMs();
    const orders = balancer.moverOrders().map(({ atMs, ...order }) => ({ ...order, ageMs: nowMs - atMs }));
    return { ...balancer.moverModes(), orders };
  };
  app.get('/v1/mover', (_request, reply) => void sendJson(reply, view()));
  app.post('/v1/mover', (request, reply) => {
    const wish = decodeMoverRequest(bodyText(request), request.ip);
    if (!wish.ok) return void sendProblem(reply, refusalProblem(wish.refusal));
    const { pool } = wish.value;
    if (pool !== undefined && !Object.hasOwn(balancer.moverModes().modes, pool)) {
      return void sendProblem(reply, problem(404, 'no-such-pool', `no pool ${pool} in the table`));
    }
    desk.setMover(wish.value);
    return void sendJson(reply, view());
  });
}
