import fastify from 'fastify';
import { expect, it } from 'vitest';
import { NO_SCHEMAS } from '../../../src/daemon/no-schemas.ts';

it('serves routes without schemas and refuses one that has a schema, when it starts', async () => {
  const app = fastify({ schemaController: NO_SCHEMAS });
  app.post('/plain', (request, reply) => reply.send(request.body));
  const answer = await app.inject({ method: 'POST', url: '/plain', payload: { a: 1 } });
  expect([answer.statusCode, answer.json()]).toEqual([200, { a: 1 }]);
  await app.close();

  const other = fastify({ schemaController: NO_SCHEMAS });
  other.post('/checked', { schema: { body: { type: 'object' } } }, (_request, reply) => reply.send('x'));
  await expect(other.ready()).rejects.toThrow(/schema/);
});
