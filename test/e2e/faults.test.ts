// The fault table in CI: every row once, shortened where time is its only cost. `npm run e2e:faults` prints
// the same as a table; `--full` runs it as written.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requireServer } from '../launch/require-server.ts';
import type { Field } from './faults/field.ts';
import { layField } from './faults/field.ts';
import type { Finding } from './faults/finding.ts';
import { printFindings } from './faults/print-findings.ts';
import { effortOf } from './faults/row.ts';
import { ROWS } from './faults/rows.ts';

const LOOKUPS_PER_SEC = 1_000;
const able = [requireServer('zookeeper'), requireServer('haproxy')].every(Boolean);

describe.runIf(able)('three Heralds on three ZooKeeper servers under steady lookups', () => {
  let field: Field;
  const findings: Finding[] = [];
  beforeAll(async () => {
    field = await layField({ lookupsPerSec: LOOKUPS_PER_SEC });
  });
  afterAll(async () => {
    await field.close();
    console.log(printFindings(findings));
  });

  for (const row of Object.values(ROWS)) {
    it(`hold through: ${row.title}`, async () => {
      const found = await row.run(field, effortOf(false));
      findings.push(...found);
      expect(found.flatMap(({ fault, breaches }) => breaches.map((breach) => `${fault}: ${breach}`))).toEqual(
        [],
      );
    });
  }
});
