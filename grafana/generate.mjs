// Writes grafana/dashboards/*.json from grafana/source. Run it after a change; a test compares the two.
import { writeFileSync } from 'node:fs';
import { brokers } from './source/brokers.mjs';
import { gateways } from './source/gateways.mjs';
import { overview } from './source/overview.mjs';

export const DASHBOARDS = [overview, gateways, brokers];

export const asJson = (dashboard) => `${JSON.stringify(dashboard, undefined, 2)}\n`;

if (process.argv[1] === import.meta.filename) {
  for (const dashboard of DASHBOARDS) {
    writeFileSync(new URL(`./dashboards/${dashboard.uid}.json`, import.meta.url), asJson(dashboard));
  }
}
