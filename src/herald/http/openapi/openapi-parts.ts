// The pieces that the descriptions of all three listeners are made of.

import { ref } from './openapi-schemas.ts';

export type Json = Readonly<Record<string, unknown>>;
type SchemaName = Parameters<typeof ref>[0];

export const json = (name: SchemaName, description: string): Json => ({
  description,
  content: { 'application/json': { schema: ref(name) } },
});
export const typed = (type: string, description: string): Json => ({
  description,
  content: { [type]: { schema: { type: 'string' } } },
});
export const problem = (description: string): Json => ({
  description,
  content: { 'application/problem+json': { schema: ref('Problem') } },
});
export const body = (schema: unknown, required = true): Json => ({
  required,
  content: { 'application/json': { schema } },
});
export const query = (name: string, description: string, schema: Json = { type: 'string' }): Json => ({
  name,
  in: 'query',
  description,
  schema,
});
export const path = (name: string): Json => ({
  name,
  in: 'path',
  required: true,
  schema: { type: 'string' },
});
