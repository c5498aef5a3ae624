// (4) The listener for operators: the load table, steering, explanations, advice on size, metrics, the page.

import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Clock } from '../../daemon/clock.ts';
import type { Metrics } from '../../daemon/metrics.ts';
import { PROMETHEUS_CONTENT_TYPE, renderPrometheus } from '../../daemon/metrics-prometheus.ts';
import { didYouMean } from '../../protocol/nearest.ts';
import { problem } from '../../daemon/problem.ts';
import { ID_PATTERN } from '../../protocol/names.ts';
import type { Balancer, DesiredState } from '../core/balancer-types.ts';
import { haproxyConfig } from '../haproxy/haproxy-config.ts';
import type { Health } from '../status/health.ts';
import type { OperatorDesk } from '../operator-desk.ts';
import type { RecordStream } from '../recording/record-stream.ts';
import type { TrafficLog } from '../status/traffic-log.ts';
import { bodyText, queryOf } from './http-server.ts';
import { sendJson, sendJsonText } from './json.ts';
import { registerMoverApi } from './mover-api.ts';
import { openApiDocument } from './openapi/openapi.ts';
import { decodeOperatorRequest } from './operator-request.ts';
import { registerOpsPage } from './ops-page.ts';
import { refusalProblem, sendProblem } from './problem.ts';
import type { TableStream } from './table-stream.ts';
import type { TableQuery, TableView } from './table-view.ts';
import { decodeTableQuery, tableView, tableViewJson } from './table-view.ts';

export interface AdminApiParts {
  heraldId: string;
  policy: string;
  balancer: Balancer;
  clock: Clock;
  metrics: Metrics;
  health: () => Health;
  desk: OperatorDesk;
  traffic: TrafficLog;
  stream: TableStream;
  recording: RecordStream;
  /** host:port HAProxy reaches agent-check at. */
  agentAddress: () => string;
}

/** What may stand in a HAProxy line. */
const HOST_PORT = /^([A-Za-z0-9._-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\]):\d{1,5}$/;
const ACTIONS: readonly (readonly [string, DesiredState])[] = [
  ['drain', 'drain'],
  ['maint', 'maint'],
  ['ready', 'up'],
];

interface Named {
  Params: { id: string };
}

export function registerAdminApi(app: FastifyInstance, parts: AdminApiParts): void {
  const { balancer, clock, desk, traffic } = parts;

  app.get('/v1/table', async (request, reply) => {
    const query = decodeTableQuery(queryOf(request));
    if (!query.ok) return sendProblem(reply, refusalProblem(query.refusal));
    return sendJsonText(reply, await tableViewJson(viewOf(parts, query.value)));
  });

  app.get('/v1/table/stream', (_request, reply) => {
    if (parts.stream.watch(reply.raw)) return void reply.hijack();
    void sendProblem(
      reply,
      problem(503, 'too-many-watchers', 'all places are taken', { retryAfterMs: 10_000 }),
    );
  });

  app.get('/v1/record', (_request, reply) => {
    if (parts.recording.listen(reply.raw, clock.nowMs())) return void reply.hijack();
    void sendProblem(
      reply,
      problem(503, 'too-many-listeners', 'all places are taken', { retryAfterMs: 10_000 }),
    );
  });

  app.get<Named>('/v1/gateways/:id', (request, reply) => {
    const found = balancer.gateway(request.params.id, clock.nowMs());
    if (found === undefined) return void sendUnknown(reply, balancer, clock, request.params.id);
    sendJson(reply, found);
  });

  for (const [action, state] of ACTIONS) {
    app.post<Named>(`/v1/gateways/:id/${action}`, async (request, reply) => {
      const { id } = request.params;
      if (balancer.newest(id) === undefined) return sendUnknown(reply, balancer, clock, id);
      const wish = decodeOperatorRequest(bodyText(request), request.ip);
      if (!wish.ok) return sendProblem(reply, refusalProblem(wish.refusal));
      const done = await desk.set({ gateway: id, state, ...wish.value });
      return sendJson(reply, { gateway: id, ...done });
    });
  }

  app.get<Named>('/v1/explain/:id', (request, reply) => {
    const explained = balancer.explain(request.params.id, clock.nowMs());
    if (explained === undefined) {
      // A lookup's id begins with that of the Herald that answered it.
      const answered = request.params.id.split('.').slice(0, -2).join('.');
      const isOfAnother = answered !== parts.heraldId && ID_PATTERN.test(answered);
      const detail = `not among the remembered lookups of this Herald${isOfAnother ? `; ask ${answered}` : ''}`;
      return void sendProblem(reply, problem(404, 'no-such-lookup', detail));
    }
    sendJson(reply, explained);
  });

  app.get('/v1/autoscale', (request, reply) => {
    const pool = queryOf(request).get('pool') ?? 'default';
    // A figure of 0 for a pool that has not reported yet, or is misspelt, might be obeyed.
    if (!Object.hasOwn(balancer.moverModes().modes, pool)) return void sendNoPool(reply, pool);
    sendJson(reply, balancer.autoscale(clock.nowMs(), pool));
  });

  app.get('/v1/audit', (_request, reply) =>
    sendJson(reply, { actions: traffic.actions(), seconds: traffic.seconds() }),
  );

  app.get('/v1/haproxy.cfg', (request, reply) => {
    const query = queryOf(request);
    const backend = query.get('backend') ?? 'gateways';
    if (!ID_PATTERN.test(backend)) {
      return void sendProblem(
        reply,
        problem(400, 'invalid-value', 'backend: expected a HAProxy backend name'),
      );
    }
    const agent = query.get('agent') || parts.agentAddress();
    if (!HOST_PORT.test(agent)) {
      return void sendProblem(reply, problem(400, 'invalid-value', 'agent: expected host:port'));
    }
    const pool = query.get('pool') ?? 'default';
    const gateways = balancer.snapshot(clock.nowMs()).gateways.filter((row) => row.pool === pool);
    // A backend without servers refuses everybody.
    if (gateways.length === 0) return void sendNoPool(reply, pool);
    const config = haproxyConfig({ backend, agent, gateways });
    void reply
      .header('content-type', 'text/plain; charset=utf-8')
      .header('cache-control', 'no-store')
      .send(config);
  });

  app.get('/metrics', async (_request, reply) =>
    reply.header('content-type', PROMETHEUS_CONTENT_TYPE).send(await renderPrometheus(parts.metrics)),
  );

  app.get('/openapi.json', (_request, reply) => sendJson(reply, openApiDocument()));
  app.get('/livez', (_request, reply) => sendJson(reply, { status: 'alive' }));
  registerMoverApi(app, parts);
  registerOpsPage(app);
}

/** The whole table as JSON text, for the stream. */
export function tableJson(parts: ViewParts): Promise<string> {
  return tableViewJson(viewOf(parts, { pool: '', order: 'gateway' }));
}

type ViewParts = Pick<AdminApiParts, 'heraldId' | 'policy' | 'balancer' | 'clock' | 'health'>;

function viewOf({ heraldId, policy, balancer, clock, health }: ViewParts, query: TableQuery): TableView {
  const { degraded } = health();
  return tableView(balancer.snapshot(clock.nowMs()), query, { heraldId, policy, degraded });
}

function sendNoPool(reply: FastifyReply, pool: string): FastifyReply {
  const detail = `no gateway of pool ${pool.slice(0, 64)} is known here`;
  return sendProblem(reply, problem(404, 'no-such-pool', detail));
}

function sendUnknown(reply: FastifyReply, balancer: Balancer, clock: Clock, id: string): FastifyReply {
  const known = balancer.snapshot(clock.nowMs()).gateways.map((row) => row.gateway);
  const detail = `no gateway ${id.slice(0, 128)} in the table${didYouMean(id, known)}`;
  return sendProblem(reply, problem(404, 'no-such-gateway', detail));
}
