// Load of every gateway over time as an SVG, one panel a run, all on the same scale: a herd shows as one
// line that leaves the others. A plain string, so that it can be written to a file or a page.

import type { LoadSeries } from './measures.ts';

export interface ChartPanel {
  title: string;
  series: LoadSeries;
}

export interface ChartOptions {
  title?: string;
  /** Seconds shown, from the start of measuring; all when absent. */
  fromSec?: number;
  toSec?: number;
}

const WIDTH_PX = 860;
/** Height of one panel. */
const PANEL_PX = 220;
const MARGIN = { left: 48, right: 24, top: 34, bottom: 26 };
const TITLE_PX = 26;
/** Above this the axis is cut: one runaway line must not flatten the rest. */
const MOST_LOAD = 2;

export function renderChartSvg(panels: readonly ChartPanel[], options: ChartOptions = {}): string {
  const titleHeight = options.title ? TITLE_PX : 0;
  const height = titleHeight + panels.length * PANEL_PX;
  const shown = panels.map(({ title, series }) => ({ title, rows: rowsOf(series, options) }));
  const most = Math.min(MOST_LOAD, Math.max(1, ...shown.map(({ rows }) => peak(rows))));
  const body = shown.map(({ title, rows }, i) => panel(title, rows, most, titleHeight + i * PANEL_PX));
  const heading = options.title
    ? `<text x="${MARGIN.left}" y="19" font-size="15" font-weight="600">${escaped(options.title)}</text>`
    : '';
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH_PX} ${height}" width="${WIDTH_PX}" height="${height}" font-family="system-ui, sans-serif" font-size="11" fill="#24292f">
<rect width="${WIDTH_PX}" height="${height}" fill="#ffffff"/>
${heading}
${body.join('\n')}
</svg>
`;
}

interface Rows {
  secs: number[];
  /** `loads[gateway][i]` at `secs[i]`; NaN = down. */
  loads: number[][];
}

function rowsOf(series: LoadSeries, { fromSec = 0, toSec = Infinity }: ChartOptions): Rows {
  const secs: number[] = [];
  const loads: number[][] = Array.from({ length: series.width }, () => []);
  const count = Math.floor(series.loads.length / series.width);
  for (let i = 0; i < count; i++) {
    const sec = series.firstSec + i;
    if (sec < fromSec || sec > toSec) continue;
    secs.push(sec);
    loads.forEach((line, gateway) => line.push(series.loads[i * series.width + gateway]!));
  }
  return { secs, loads };
}

function peak(rows: Rows): number {
  let most = 0;
  for (const line of rows.loads) for (const load of line) if (load > most) most = load;
  return most;
}

function panel(title: string, rows: Rows, most: number, top: number): string {
  const first = rows.secs[0] ?? 0;
  const last = rows.secs.at(-1) ?? 1;
  const x = (sec: number): number =>
    MARGIN.left + ((sec - first) / Math.max(1, last - first)) * (WIDTH_PX - MARGIN.left - MARGIN.right);
  const bottom = top + PANEL_PX - MARGIN.bottom;
  const y = (load: number): number =>
    bottom - (Math.min(load, most) / most) * (PANEL_PX - MARGIN.top - MARGIN.bottom);
  const parts = [
    `<text x="${MARGIN.left}" y="${top + 22}" font-size="13" font-weight="600">${escaped(title)}</text>`,
  ];
  for (const load of ticks(most)) {
    const line = load === 1 ? '#cf222e' : '#d8dee4';
    parts.push(
      `<line x1="${MARGIN.left}" x2="${WIDTH_PX - MARGIN.right}" y1="${px(y(load))}" y2="${px(y(load))}" stroke="${line}"/>`,
      `<text x="${MARGIN.left - 6}" y="${px(y(load) + 4)}" text-anchor="end">${Math.round(load * 100)}%</text>`,
    );
  }
  for (const sec of secondTicks(first, last)) {
    parts.push(`<text x="${px(x(sec))}" y="${bottom + 16}" text-anchor="middle">${sec} s</text>`);
  }
  rows.loads.forEach((line, gateway) => {
    const path = linePath(line, rows.secs, x, y);
    if (path) parts.push(`<path d="${path}" fill="none" stroke="${colour(gateway)}" stroke-width="1.2"/>`);
  });
  return parts.join('\n');
}

/** A path with a gap wherever the gateway was down. */
function linePath(
  line: number[],
  secs: number[],
  x: (sec: number) => number,
  y: (load: number) => number,
): string {
  let path = '';
  let drawing = false;
  line.forEach((load, i) => {
    if (Number.isNaN(load)) {
      drawing = false;
      return;
    }
    path += `${drawing ? 'L' : 'M'}${px(x(secs[i]!))} ${px(y(load))}`;
    drawing = true;
  });
  return path;
}

function ticks(most: number): number[] {
  const step = most > 1.2 ? 0.5 : 0.25;
  return Array.from({ length: Math.floor(most / step) + 1 }, (_, i) => i * step);
}

function secondTicks(first: number, last: number): number[] {
  const step = [10, 20, 30, 60, 120, 300, 600].find((each) => (last - first) / each <= 10) ?? 1_200;
  const found: number[] = [];
  for (let sec = Math.ceil(first / step) * step; sec <= last; sec += step) found.push(sec);
  return found;
}

/** Golden-angle hues: neighbours in the list are far apart in colour. */
function colour(index: number): string {
  return `hsl(${Math.round(index * 137.5) % 360} 62% 45%)`;
}

function px(value: number): string {
  return value.toFixed(1).replace(/\.0$/, '');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
