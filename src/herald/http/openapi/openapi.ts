// `GET /openapi.json`: the three HTTP listeners in OpenAPI 3.1. A test holds it against the routes that are
// really there, so it cannot fall behind.

import { readFileSync } from 'node:fs';
import { adminPaths } from './openapi-admin.ts';
import type { Json } from './openapi-parts.ts';
import { body, json, path, problem, query } from './openapi-parts.ts';
import { ref, SCHEMAS } from './openapi-schemas.ts';

const SERVERS = {
  public: [{ url: 'http://127.0.0.1:7400', description: 'publicListen, for clients' }],
  control: [{ url: 'http://127.0.0.1:7401', description: 'controlListen, for gateways and brokers' }],
  admin: [{ url: 'http://127.0.0.1:7403', description: 'adminListen, for operators' }],
} as const;

const LOOKUP_QUERY = [
  query('pool', 'Pool of gateways'),
  query('zone', 'Preferred zone'),
  query('label', 'Required label, key=value; may repeat'),
  query('prefer', 'Label rather had, key=value@weight with a weight of 0 to 1 (0.1); may repeat'),
  query('key', 'Affinity key: the same key goes to the same gateway while that has room'),
  query('exclude', 'Gateways that failed this client; may repeat, or with commas'),
  query('failed', 'Ticket of the pick that failed, so that the hint counts'),
  query('size', 'Expected size of the connection; 1 = an average one', {
    type: 'number',
    minimum: 0.001,
    maximum: 10_000,
  }),
  query('n', 'Alternates wanted', { type: 'integer', minimum: 0, maximum: 8, default: 3 }),
  query('intent', 'Why', { type: 'string', enum: ['connect', 'resume', 'move'] }),
];
const NO_GATEWAY = {
  ...problem('No gateway may take it; the body says why'),
  headers: {
    'Retry-After': { description: 'Seconds, its own slot for each caller', schema: { type: 'integer' } },
  },
};

const publicPaths = {
  '/v1/lookup': {
    get: {
      summary: 'Which gateway to connect to',
      parameters: LOOKUP_QUERY,
      responses: {
        200: json('LookupReply', 'A gateway, a ticket for it and alternates'),
        400: problem('A bad parameter'),
        414: problem('The query is too long'),
        503: NO_GATEWAY,
      },
    },
    options: { summary: 'CORS preflight', responses: { 204: { description: 'Allowed' } } },
  },
  '/v1/connect': {
    get: {
      summary: 'Redirect to a gateway, also of a WebSocket handshake',
      parameters: [
        ...LOOKUP_QUERY,
        query('location', 'Scheme of Location, where the guess by client is wrong', {
          type: 'string',
          enum: ['ws', 'http'],
        }),
      ],
      responses: {
        302: {
          description: 'Location is the URL of a gateway',
          headers: { Location: { schema: { type: 'string' } } },
        },
        400: problem('A bad parameter'),
        414: problem('The query is too long'),
        503: NO_GATEWAY,
      },
    },
    options: { summary: 'CORS preflight', responses: { 204: { description: 'Allowed' } } },
  },
  '/livez': {
    get: { summary: 'The process lives', responses: { 200: json('Alive', 'It does') } },
    head: { summary: 'The process lives', responses: { 200: { description: 'It does' } } },
  },
  '/readyz': {
    get: {
      summary: 'Whether to send lookups here',
      responses: { 200: json('Ready', 'Yes, perhaps degraded'), 503: json('Ready', 'No, and why') },
    },
    head: {
      summary: 'Whether to send lookups here',
      responses: { 200: { description: 'Yes' }, 503: { description: 'No' } },
    },
  },
};

const SIGNED = [{ heraldSignature: [] }, {}];
const NOT_SIGNED = problem('No or a wrong signature; sign with the nonce of the Herald-Nonce header');

const controlPaths = {
  '/v1/feedback': {
    post: {
      summary: 'One load report, or an array of at most 256',
      security: SIGNED,
      requestBody: body({
        oneOf: [ref('LoadReport'), { type: 'array', items: ref('LoadReport'), maxItems: 256 }],
      }),
      responses: {
        200: json('FeedbackReply', 'Taken, or too old to be (accepted is then smaller)'),
        400: problem('A bad field: nothing was taken'),
        401: NOT_SIGNED,
        403: problem('Not a gateway of the signer, a URL outside allowedUrls, or a browser'),
        413: problem('Too many reports or bytes'),
        415: problem('Not application/json'),
        503: problem('Each connection of this port is taken'),
      },
    },
  },
  '/v1/feedback/{id}': {
    delete: {
      summary: 'Goodbye of a gateway that leaves in order',
      security: SIGNED,
      parameters: [path('id')],
      responses: {
        204: { description: 'Not named from now on' },
        401: NOT_SIGNED,
        403: problem('Not the signer'),
      },
    },
  },
  '/v1/brokers': {
    get: { summary: 'The brokers there are', responses: { 200: json('Brokers', 'All, by id') } },
    post: {
      summary: 'A broker announces itself for three seconds',
      security: SIGNED,
      requestBody: body(ref('Broker')),
      responses: {
        200: json('Brokers', 'All, by id'),
        400: problem('A bad field'),
        401: NOT_SIGNED,
        403: problem('Not the signer'),
        409: problem('A later broker has this id'),
        503: problem('Too many brokers'),
      },
    },
  },
  '/v1/brokers/{id}': {
    delete: {
      summary: 'Goodbye of a broker',
      security: SIGNED,
      parameters: [path('id'), query('epoch', 'Only this life of it; default: any')],
      responses: { 204: { description: 'Forgotten' }, 401: NOT_SIGNED, 403: problem('Not the signer') },
    },
  },
};

/** `/livez` is on two listeners; it is listed once. */
export function openApiDocument(): Json {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Herald',
      version: packageVersion(),
      description: 'Balances long-lived connections by feedback. Errors are problem+json (RFC 9457).',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    paths: {
      ...at(SERVERS.public, publicPaths),
      ...at(SERVERS.control, controlPaths),
      ...at(SERVERS.admin, adminPaths),
    },
    components: {
      schemas: SCHEMAS,
      securitySchemes: {
        adminToken: { type: 'http', scheme: 'bearer', description: 'adminToken, when one is configured' },
        heraldSignature: {
          type: 'apiKey',
          in: 'header',
          name: 'Herald-Signature',
          description:
            '<id>;<nonce>;<hex HMAC-SHA-256 of nonce, newline and body>, when a secret is configured',
        },
      },
    },
  };
}

function at(servers: readonly Json[], paths: Readonly<Record<string, Json>>): Record<string, Json> {
  return Object.fromEntries(Object.entries(paths).map(([name, item]) => [name, { servers, ...item }]));
}

function packageVersion(): string {
  const file = readFileSync(new URL('../../../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(file) as { version: string }).version;
}
