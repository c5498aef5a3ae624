// The table of docs/metrics.md, made from the catalogue. `npm run build && node scripts/metrics-table.mjs`
// writes it; a unit test compares the two.
import { readFileSync, writeFileSync } from 'node:fs';

const START = '<!-- catalogue: written by scripts/metrics-table.mjs -->';
const END = '<!-- end of catalogue -->';

/** `metrics` is METRICS of src/daemon/metrics-catalogue.ts, the others are what tells its names and tags. */
export function metricsTable(metrics, { prometheusName, hasHeraldIdInStatsd }) {
  const rows = Object.entries(metrics).map(([name, { kind, unit, tags, meaning }]) => {
    const graphite = kind === 'counter' ? `stats.counters.${name}` : `stats.gauges.${name}`;
    const statsdTag = hasHeraldIdInStatsd(name) ? ['`id` in StatsD'] : [];
    // The others have no such page.
    const prometheus = name.startsWith('herald.') ? `\`${prometheusName(name)}\`` : '-';
    const labels = [...tags.map((tag) => `\`${tag}\``), ...statsdTag].join(' ');
    return `| \`${name}\` | ${kind} | ${unit} | ${labels} | ${meaning} | ${prometheus} | \`${graphite}\` |`;
  });
  return [
    '| StatsD | kind | unit | tags | meaning | Prometheus | Graphite |',
    '|---|---|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}

/** The table between its marks in the text of docs/metrics.md. */
export function tableIn(text) {
  return text.slice(text.indexOf(START) + START.length, text.indexOf(END)).trim();
}

if (process.argv[1] === import.meta.filename) {
  const { METRICS, hasHeraldIdInStatsd } = await import('../dist/daemon/metrics-catalogue.js');
  const { prometheusName } = await import('../dist/daemon/metrics-prometheus.js');
  const path = new URL('../docs/metrics.md', import.meta.url);
  const text = readFileSync(path, 'utf8');
  const table = metricsTable(METRICS, { prometheusName, hasHeraldIdInStatsd });
  writeFileSync(
    path,
    `${text.slice(0, text.indexOf(START) + START.length)}\n\n${table}\n\n${text.slice(text.indexOf(END))}`,
  );
}
