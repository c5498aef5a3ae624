// Fastify loads a validator and a serialiser when it starts, a fifth of what a daemon needs to come up, to compile
// schemas. No route here has one: src/protocol decodes what comes in, each handler writes what goes out.

import type { FastifyServerOptions } from 'fastify';

/** Option `schemaController` of a Fastify instance whose routes have no schemas; a route with one throws. */
export const NO_SCHEMAS: NonNullable<FastifyServerOptions['schemaController']> = {
  compilersFactory: { buildValidator: () => refuseSchema, buildSerializer: () => refuseSchema },
};

function refuseSchema(): never {
  throw new Error('routes have no schemas: src/daemon/no-schemas.ts');
}
