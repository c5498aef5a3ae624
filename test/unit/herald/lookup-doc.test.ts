import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { judgeLookup } from '../../../src/client/core/lookup-answer.ts';
import type { LookupVerdict } from '../../../src/herald/core/balancer-types.ts';
import { openApiDocument } from '../../../src/herald/http/openapi/openapi.ts';
import { refusalProblem } from '../../../src/herald/http/problem.ts';
import { decodeLookupQuery } from '../../../src/protocol/lookup.ts';

const PAGE = readFileSync(join(import.meta.dirname, '../../../docs/lookup.md'), 'utf8');

interface OpenApi {
  paths: Record<string, { get: { parameters: { name: string }[] } }>;
  components: { schemas: { LookupReply: { required: string[] } } };
}
const { paths, components } = openApiDocument() as unknown as OpenApi;

function examples(kind: 'query' | 'json reply' | 'json refusal'): string[] {
  const [, block] = new RegExp(`^\`\`\`${kind}\\n([^]*?)^\`\`\``, 'm').exec(PAGE)!;
  return block!.trim().split('\n');
}

/** The names in the first column of the table with this heading. */
function listed(heading: string): string[] {
  const table = new RegExp(`^\\| ${heading} \\|[^]*?\\n\\n`, 'm').exec(PAGE)![0];
  return [...table.matchAll(/^\| (.*?) \|/gm)].flatMap(([, cell]) =>
    [...cell!.matchAll(/`([\w-]+)`/g)].map(([, name]) => name!),
  );
}

describe('docs/lookup.md', () => {
  it.each(examples('query'))('has a question that Herald takes: %s', (target) => {
    expect(decodeLookupQuery(new URL(target, 'http://herald').searchParams)).toMatchObject({ ok: true });
  });

  it('lists every parameter, and none that there is not', () => {
    const known = paths['/v1/lookup']!.get.parameters.map(({ name }) => name);
    expect(listed('parameter').sort()).toEqual(known.sort());
  });

  it('lists every field of an answer, and has an answer that a client takes', () => {
    const { required } = components.schemas.LookupReply;
    expect(listed('field').sort()).toEqual([...required].sort());
    const [reply] = examples('json reply');
    expect(Object.keys(JSON.parse(reply!) as object).sort()).toEqual([...required].sort());
    expect(judgeLookup(200, undefined, reply!)).toMatchObject({
      is: 'found',
      picks: [{ gateway: 'gw-2' }, { gateway: 'gw-5' }],
    });
  });

  it('has refusals that a client understands', () => {
    const [none, wrong] = examples('json refusal');
    expect(judgeLookup(503, undefined, none!)).toMatchObject({
      is: 'refused',
      wait: { forMs: 2_180, isOwn: true },
    });
    expect(judgeLookup(400, undefined, wrong!)).toMatchObject({ is: 'invalid' });
    const decoded = decodeLookupQuery(new URLSearchParams('n=12'));
    expect(decoded.ok ? {} : refusalProblem(decoded.refusal)).toEqual(JSON.parse(wrong!));
  });

  it('lists every code of a refusal', () => {
    const codes: Record<Extract<LookupVerdict, { ok: false }>['code'], true> = {
      overloaded: true,
      'none-eligible': true,
      'no-gateways': true,
      'rate-limited': true,
      starting: true,
    };
    const others = ['invalid-value', 'query-too-long', 'code', 'type'];
    expect(listed('status, `code`').sort()).toEqual([...Object.keys(codes), ...others].sort());
  });
});
