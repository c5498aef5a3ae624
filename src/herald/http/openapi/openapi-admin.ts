// The admin listener in `/openapi.json`.

import type { Json } from './openapi-parts.ts';
import { body, json, path, problem, query, typed } from './openapi-parts.ts';
import { ref } from './openapi-schemas.ts';

const steer = (summary: string): Json => ({
  post: {
    summary,
    security: [{ adminToken: [] }, {}],
    parameters: [path('id')],
    requestBody: body(ref('OperatorRequest'), false),
    responses: {
      200: json('OperatorReply', 'Holds from now on'),
      400: problem('A bad field'),
      401: problem('No or a wrong token'),
      404: problem('No such gateway'),
    },
  },
});
const ask = (summary: string, ok: Json, parameters: readonly Json[] = [], more: Json = {}): Json => ({
  get: {
    summary,
    security: [{ adminToken: [] }, {}],
    ...(parameters.length > 0 && { parameters }),
    responses: { 200: ok, 401: problem('No or a wrong token'), ...more },
  },
});

export const adminPaths = {
  '/v1/table': ask(
    'The load table',
    json('Table', 'All gateways'),
    [
      query('pool', 'This pool alone'),
      query('order', 'Largest first, but for gateway', {
        type: 'string',
        enum: ['gateway', 'expected', 'reported', 'connections', 'age', 'picks'],
      }),
    ],
    { 400: problem('A bad parameter') },
  ),
  '/v1/table/stream': ask(
    'The load table twice a second, as server-sent events named "table"',
    typed('text/event-stream', 'Each event holds a Table'),
    [],
    { 503: problem('Too many watchers') },
  ),
  '/v1/record': ask(
    'Reports and lookups as they come in, for `herald record`',
    typed('application/x-ndjson', 'One object a line: {t, report} or {t, lookup}, t in ms'),
    [],
    { 503: problem('Too many listeners') },
  ),
  '/v1/gateways/{id}': ask('One gateway', json('Gateway', 'Its row'), [path('id')], {
    404: problem('Unknown'),
  }),
  '/v1/gateways/{id}/drain': steer('Send no new connections, move the others away'),
  '/v1/gateways/{id}/maint': steer('Take out of service at once'),
  '/v1/gateways/{id}/ready': steer('Let it take connections again'),
  '/v1/explain/{id}': ask(
    'Why a lookup was answered as it was',
    json('Explanation', 'All terms'),
    [path('id')],
    {
      404: problem('Not among the last 10,000'),
    },
  ),
  '/v1/mover': {
    ...ask('Whether connections are moved, and the latest orders', json('Mover', 'Modes and orders')),
    post: {
      summary: 'Move connections, decide without ordering, or stop at once',
      security: [{ adminToken: [] }, {}],
      requestBody: body(ref('MoverRequest')),
      responses: {
        200: json('Mover', 'Holds from now on, at this Herald'),
        400: problem('A bad field'),
        401: problem('No or a wrong token'),
        404: problem('No such pool'),
      },
    },
  },
  '/v1/autoscale': ask('Advice on fleet size', json('Autoscale', 'Flat figures'), [query('pool', 'Pool')], {
    404: problem('No gateway of that pool has reported yet'),
  }),
  '/v1/audit': ask('What operators did, how lookups ended', json('Audit', 'Recent past')),
  '/v1/haproxy.cfg': ask(
    'A HAProxy backend for the current table',
    typed('text/plain', 'Configuration'),
    [
      query('backend', 'Its name'),
      query('pool', 'Pool'),
      query('agent', "host:port of agent-check; this Herald's own when absent"),
    ],
    {
      400: problem('A bad name or address'),
      404: problem('No gateway of that pool has reported yet'),
    },
  ),
  '/metrics': ask('Prometheus metrics', typed('text/plain', 'Text format 0.0.4')),
  '/openapi.json': { get: { summary: 'This document', responses: { 200: { description: 'OpenAPI 3.1' } } } },
  '/': { get: { summary: "The operators' page", responses: { 200: typed('text/html', 'The page') } } },
  '/page/{file}': {
    get: {
      summary: 'Its scripts and its style',
      parameters: [path('file')],
      responses: { 200: typed('text/javascript', 'A file'), 404: problem('No such file') },
    },
  },
};
