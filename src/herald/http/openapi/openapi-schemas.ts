// The schemas of openapi.json: every JSON body that the three listeners take or give.

import { MOVER_MODES } from '../../core/balancer-types.ts';

type Schema = Readonly<Record<string, unknown>>;

const text = (description: string, example?: string): Schema => ({
  type: 'string',
  description,
  ...(example !== undefined && { examples: [example] }),
});
const number = (description: string, minimum?: number, maximum?: number): Schema => ({
  type: 'number',
  description,
  ...(minimum !== undefined && { minimum }),
  ...(maximum !== undefined && { maximum }),
});
const integer = (description: string, minimum = 0): Schema => ({ type: 'integer', description, minimum });
const flag = (description: string): Schema => ({ type: 'boolean', description });
const list = (items: Schema, description?: string): Schema => ({
  type: 'array',
  items,
  ...(description !== undefined && { description }),
});
const named = (values: Schema, description: string): Schema => ({
  type: 'object',
  additionalProperties: values,
  description,
});
const object = (properties: Record<string, Schema>, required?: readonly string[]): Schema => ({
  type: 'object',
  properties,
  required: required ?? Object.keys(properties),
});
export const ref = (name: keyof typeof SCHEMAS): Schema => ({ $ref: `#/components/schemas/${name}` });
const own = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });

const pick = {
  gateway: text('Id of the gateway', 'gw-1'),
  url: text('URL to open', 'wss://gw-1.example.net/ws'),
  ticket: text('Send as the subprotocol item herald.ticket.<ticket>; single use, 30 s'),
};

const desired = object({
  state: { type: 'string', enum: ['up', 'drain', 'maint'] },
  reason: text('Why, in words of the operator'),
  author: text('Who asked'),
  untilEpochMs: number('When it lapses, epoch ms; 0 = never'),
});

const row = {
  gateway: text('Id'),
  url: text('Announced URL'),
  pool: text('Pool'),
  zone: text('Zone; empty = none'),
  labels: named({ type: 'string' }, 'Labels'),
  capacity: number('Relative size; 1 = one reference core'),
  bootId: text('Changes with each start of the gateway'),
  seq: integer('Number of the last report'),
  state: { type: 'string', enum: ['up', 'draining'], description: 'As the gateway says' },
  periodMs: number('How often it reports'),
  ageMs: number('Age of the last report'),
  reportedScore: number('The tightest signal over its limit, as reported'),
  correctedScore: number('The same after counts were added'),
  costPerConnection: number('Learned cost of one connection'),
  connections: number('Open connections'),
  youngConnections: number('Weight of connections the signals do not show yet'),
  maxConnections: number('Hard cap; 0 = none'),
  effectiveState: {
    type: 'string',
    enum: ['up', 'draining', 'drain', 'maint', 'stale', 'suspect', 'expired'],
  },
  hearsay: flag('Its last report is known from another Herald only'),
  desired: own('Desired'),
  expectedScore: number('Expected load: what lookups compare, less the penalty of an open breaker'),
  inFlightTickets: number('Tickets issued here and not yet seen as connections'),
  breaker: { type: 'string', enum: ['closed', 'open', 'trial'] },
  weightPercent: number('What agent-check says'),
  picks: integer('Lookups that named it, since this Herald started'),
} as const satisfies Record<string, Schema>;

export const SCHEMAS = {
  LookupReply: object({
    lookupId: text('Ask /v1/explain/{lookupId} why'),
    ...pick,
    expiresAt: { type: 'string', format: 'date-time', description: 'When the ticket expires' },
    alternates: list(own('Pick'), 'To try when the first fails'),
    backoff: object({
      minMs: number('When all picks failed: limit of the first random wait, which doubles'),
      maxMs: number('How far it doubles'),
    }),
    table: object({ version: integer('Version of the table'), ageMs: number('Age of its newest report') }),
  }),
  Pick: object(pick),
  Problem: object(
    {
      type: text('urn:herald:problem:<code>'),
      title: text('The status in words'),
      status: integer('The HTTP status'),
      detail: text('What happened, for people'),
      code: text('A stable word for programs', 'none-eligible'),
      retryAfterMs: number('When to ask again'),
      refused: named({ type: 'integer' }, 'How many gateways each filter removed'),
      lookupId: text('Ask /v1/explain/{lookupId} why'),
      field: text('The field that was refused'),
      received: text('What it held'),
      expected: text('What it must hold'),
    },
    ['type', 'title', 'status', 'detail', 'code'],
  ),
  Ready: object(
    {
      status: { type: 'string', enum: ['ready', 'degraded', 'unready'] },
      reason: text('Why it is unready'),
      degraded: list({ type: 'string' }, 'What needs an operator'),
    },
    ['status', 'degraded'],
  ),
  Alive: object({ status: { const: 'alive' } }),
  LoadReport: object(
    {
      v: { const: 1 },
      kind: { type: 'string', enum: ['full', 'counters'], default: 'full' },
      gateway: text('Id of the gateway', 'gw-1'),
      url: text('URL for clients; must be among allowedUrls', 'ws://127.0.0.1:7410/ws'),
      bootId: text('Changes with each start of the gateway'),
      seq: integer('Grows by one a report'),
      periodMs: number('How often it reports', 50, 60_000),
      pool: text('Pool; default "default"'),
      zone: text('Zone'),
      labels: named({ type: 'string' }, 'At most 16'),
      capacity: number('Relative size; 1 = one reference core', 0.001, 100_000),
      state: { type: 'string', enum: ['up', 'draining'] },
      cpu: number('CPU used / CPU allowed; may pass 1', 0, 1_000),
      throttled: number('Share of periods in which the quota stopped it', 0, 1),
      eventLoop: number('Share of time the event loop was busy', 0, 1_000),
      loopDelayP99Ms: number('Event-loop delay', 0, 3_600_000),
      memory: number('Resident memory / limit', 0, 1_000),
      descriptors: number('Open descriptors / limit', 0, 1_000),
      messagesPerSec: number('Messages out', 0, 1e12),
      bytesPerSec: number('Bytes out', 0, 1e15),
      bufferedBytes: number('Bytes waiting for clients', 0, 1e15),
      deliveryLagMs: number('Publish to write', 0, 86_400_000),
      connections: integer('Open connections'),
      youngConnections: number('Weight of connections the signals do not show yet', 0, 1e8),
      maxConnections: integer('Hard cap the gateway enforces'),
      acceptedTotal: integer('Accepted since boot'),
      compressing: flag('False while messages go out uncompressed to save CPU'),
      tickets: named(object({ admitted: integer('Accepted with its ticket') }), 'By Herald id'),
    },
    ['v', 'gateway', 'url', 'seq'],
  ),
  FeedbackReply: object(
    {
      accepted: integer('Reports taken'),
      periodMs: number('How often to report from now on'),
      heraldId: text('Who answers'),
      nowMs: number('The ticket clock of this Herald'),
      heralds: list({ type: 'string' }, 'Control URLs of all Heralds: report to each'),
      brokers: list(own('Broker')),
      directive: own('Directive'),
      directives: named(own('Directive'), 'By gateway, when the post carried several gateways'),
      refused: named({ type: 'integer' }, 'Reports not taken, by why'),
    },
    ['accepted', 'periodMs', 'heraldId', 'nowMs', 'heralds'],
  ),
  Directive: {
    oneOf: [
      object({
        shed: object(
          {
            orderId: text('Id'),
            count: integer('Connections to hand over'),
            work: number('Load to hand over'),
            spreadMs: number('Spread over'),
          },
          ['orderId', 'count', 'spreadMs'],
        ),
      }),
      object({
        drain: object({
          orderId: text('Id'),
          reason: text('Why'),
          spreadMs: number('Spread over'),
          deadlineMs: number('Closed after'),
        }),
      }),
      object({ ready: object({ orderId: text('Id') }) }),
    ],
  },
  Broker: object(
    {
      id: text('Id'),
      publish: text('Endpoint for publishers', 'tcp://127.0.0.1:7420'),
      subscribe: text('Endpoint for gateways', 'tcp://127.0.0.1:7430'),
      repair: text('Endpoint for repair', 'tcp://127.0.0.1:7440'),
      http: text('Base URL of HTTP publish; empty = none'),
      epoch: text('Changes with each start of the broker'),
      state: { type: 'string', enum: ['up', 'draining'] },
      silentMs: number('In a list: since it announced itself to this Herald; absent = it did not'),
    },
    ['id', 'publish', 'subscribe', 'repair', 'http', 'epoch'],
  ),
  Brokers: object({ brokers: list(own('Broker')) }),
  Gateway: object(row),
  Desired: desired,
  Table: object({
    heraldId: text('Who answers'),
    policy: text('Selection policy'),
    degraded: list({ type: 'string' }, 'What needs an operator'),
    version: integer('Version of the table'),
    ageMs: number('Age of its newest report'),
    frozen: flag('The mass-loss guard serves the last good table'),
    gateways: list(own('Gateway')),
  }),
  OperatorRequest: object(
    {
      reason: text('Why; kept and shown'),
      forMs: number('How long; 0 or absent = until somebody says otherwise', 0, 90 * 86_400_000),
      author: text('Who; default the address of the caller'),
    },
    [],
  ),
  OperatorReply: object({
    gateway: text('Id'),
    desired: own('Desired'),
    shared: flag('False when the store is away: it holds at this Herald alone until it is back'),
  }),
  Autoscale: object({
    desired: integer('Gateways the load asks for'),
    current: integer('Gateways there are'),
    loadSum: number('Sum of expected load x capacity'),
    loadAvg: number('Mean expected load'),
    loadMax: number('Hottest gateway'),
    target: number('Load per capacity aimed at'),
    drainCandidates: list({ type: 'string' }, 'Whom to drain first when there are too many'),
    reason: text('Why'),
  }),
  MoverRequest: object(
    {
      mode: { type: 'string', enum: MOVER_MODES },
      pool: text('This pool alone; absent = all, also those to come'),
      reason: text('Why; kept in the audit'),
      author: text('Who; default the address of the caller'),
    },
    ['mode'],
  ),
  Mover: object({
    leaseHeld: flag('This is the one Herald whose orders are carried out'),
    modes: named({ type: 'string', enum: MOVER_MODES }, 'By pool'),
    orders: list(
      object({
        orderId: text('Id'),
        pool: text('Pool'),
        gateway: text('Who hands over'),
        count: integer('Connections at most'),
        work: number('Load at most, as a share of capacity 1'),
        spreadMs: number('Spread over'),
        ageMs: number('Time since it was decided'),
        state: { type: 'string', enum: ['waiting', 'taken', 'lapsed', 'dry'] },
        why: { type: 'string', enum: ['donor', 'receivers'] },
      }),
      'The last 200 of each pool, newest last',
    ),
  }),
  Audit: object({
    actions: list(
      object({
        at: { type: 'string', format: 'date-time' },
        author: text('Who'),
        action: text('drain, maint, ready, or mover and its mode'),
        gateway: text('Id; for the mover its pool, empty = all'),
        reason: text('Why'),
        until: text('RFC 3339; empty = for good'),
      }),
      'The last 1,000, newest first',
    ),
    seconds: list(
      object({
        at: { type: 'string', format: 'date-time' },
        outcomes: named({ type: 'integer' }, 'By outcome'),
      }),
      'Lookups in each of the last 60 seconds',
    ),
  }),
  Explanation: { type: 'object', description: 'Candidates, ages, terms and the winner of one lookup' },
} as const satisfies Record<string, Schema>;
