// openapi.json against the routes that are really there: every route of the three listeners is described,
// and every described one answers.

import { afterEach, expect, test } from 'vitest';
import type { OneHerald } from './one-herald.ts';
import { ask, oneHerald } from './one-herald.ts';

interface Document {
  openapi: string;
  paths: Record<string, Record<string, unknown>>;
  components: { schemas: Record<string, unknown> };
}

let herald: OneHerald;
afterEach(() => herald.close());

const METHODS = ['get', 'head', 'post', 'delete', 'options'];

test('describes exactly the routes of the three listeners', async () => {
  herald = await oneHerald();
  const body = JSON.parse((await ask(`${herald.addresses.admin}/openapi.json`)).text) as Document;
  expect(body.openapi).toBe('3.1.0');
  const described = Object.entries(body.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => method in item).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const real = herald.routes.map((route) => route.replace(/:(\w+)/g, '{$1}'));
  expect(described.sort()).toEqual([...new Set(real)].sort());
});

test('refers only to schemas that it holds, and holds none in vain', async () => {
  herald = await oneHerald();
  const body = JSON.parse((await ask(`${herald.addresses.admin}/openapi.json`)).text) as Document;
  const used = [...JSON.stringify(body).matchAll(/#\/components\/schemas\/(\w+)/g)].map(([, name]) => name);
  expect([...new Set(used)].sort()).toEqual(Object.keys(body.components.schemas).sort());
});
