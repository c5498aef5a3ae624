// Fastify loads a validator and a serialiser at its start, to compile schemas: a fifth of a daemon's start-up time.
// No route here has a schema: src/protocol decodes requests, and each handler writes its own answer.

import type { FastifyServerOptions } from 'fastify';

/** Option `schemaController` of a Fastify instance whose routes have no schemas; a route with one throws. */
export const NO_SCHEMAS: NonNullable<FastifyServerOptions['schemaController']> = {
  compilersFactory: { buildValidator: () => refuseSchema, buildSerializer: () => refuseSchema },
};

function refuseSchema(): never {
  throw new Error('routes have no schemas: src/daemon/no-schemas.ts');
}
