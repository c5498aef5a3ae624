// The load table as text: one line a gateway, a bar of its expected load, colours where there is a terminal.
// For a narrow terminal bars and names are shortened, and what then does not fit is left out, the least important
// column first; of a fleet too long for it those out of use are shown, and the hottest.

import type { GatewaySnapshot, TableSnapshot } from '../../herald/core/balancer-types.ts';
import type { Color } from './terminal-text.ts';
import { painter, visibleLength } from './terminal-text.ts';

export interface RenderOptions {
  color: boolean;
  /** Columns and rows there is room for; absent = as wide and as long as it gets. */
  width?: number;
  rows?: number;
  /** Lookups a second that named each gateway, when the caller measured them. */
  picksPerSec?: ReadonlyMap<string, number>;
  /** Remarks beside a gateway. */
  remarks?: ReadonlyMap<string, string>;
  /** The pool asked for, when it was one alone. */
  pool?: string | undefined;
}

interface Column {
  head: string;
  width: number;
  /** It shrinks to this before any column goes. */
  least?: number;
  /** Which goes first when room is short: 1 before 2; 0 stays. */
  spare: number;
  left?: boolean;
  cell(gateway: GatewaySnapshot, width: number): string;
  color?(gateway: GatewaySnapshot): Color | undefined;
}

const BAR_WIDTH = 20;
const BAR_HEAD = 'expected load';
const GAP = '  ';
const AROUND_ROWS = 2;
const MAX_ID_WIDTH = 40;
const LEAST_ID_WIDTH = 16;
/** Room kept for remarks; longer ones are cut where the terminal ends. */
const MAX_REMARK_WIDTH = 20;

export function renderTable(table: TableSnapshot, options: RenderOptions): string {
  const paint = painter(options.color);
  if (table.gateways.length === 0) {
    const where = options.pool === undefined ? 'here' : `of pool ${options.pool}`;
    return paint('grey', `no gateway ${where} has reported yet`);
  }
  const remarks = table.gateways.map((gateway) => visibleLength(remarkOn(gateway, options.remarks)));
  const widest = Math.min(MAX_REMARK_WIDTH, Math.max(...remarks));
  const width = (options.width ?? Infinity) - (widest > 0 ? GAP.length + widest : 0);
  const columns = fitting(columnsOf(table, options), width);

  const most = Math.max(1, (options.rows ?? Infinity) - AROUND_ROWS);
  const isCut = table.gateways.length > most;
  const { away, hottest } = isCut ? foremost(table.gateways, most) : { away: [], hottest: table.gateways };
  const head = columns.map(({ head: text, width: room, left }) => padded(text, room, left)).join(GAP);
  const lines = [...away, ...hottest].map((gateway) => {
    const cells = columns.map((column) => {
      const text = padded(column.cell(gateway, column.width), column.width, column.left);
      const color = column.color?.(gateway) ?? (isKnown(gateway) ? undefined : 'grey');
      return color === undefined ? text : paint(color, text);
    });
    const remark = remarkOn(gateway, options.remarks);
    return (cells.join(GAP) + (remark === '' ? '' : `${GAP}${paint('yellow', remark)}`)).trimEnd();
  });
  const others = away.length === 0 ? '' : `${away.length} out of use and `;
  const cut = isCut ? `, ${others}the ${hottest.length} hottest shown` : '';
  return [paint('bold', head), ...lines, footOf(table, cut, paint)].join('\n');
}

function columnsOf(table: TableSnapshot, options: RenderOptions): Column[] {
  const rate = options.picksPerSec;
  const ids = table.gateways.map(({ gateway }) => gateway);
  const idWidth = Math.min(MAX_ID_WIDTH, Math.max('gateway'.length, ...ids.map(({ length }) => length)));
  const pools = new Set(table.gateways.map(({ pool }) => pool));
  const all: (Column | undefined)[] = [
    {
      head: 'gateway',
      width: idWidth,
      least: leastDistinct(ids, idWidth),
      spare: 0,
      left: true,
      cell: (g, width) => shortened(g.gateway, width),
    },
    pools.size > 1
      ? { head: 'pool', width: widest('pool', [...pools]), spare: 4, left: true, cell: (g) => g.pool }
      : undefined,
    { head: 'state', width: 8, spare: 0, left: true, cell: (g) => g.effectiveState, color: stateColor },
    {
      head: BAR_HEAD,
      width: BAR_WIDTH,
      least: BAR_HEAD.length,
      spare: 3,
      left: true,
      cell: (g, width) => (isKnown(g) ? bar(g.expectedScore, width) : ''),
      color: loadColor,
    },
    { head: 'load', width: 7, spare: 0, cell: (g) => (isKnown(g) ? percent(g.expectedScore) : '-') },
    { head: 'reported', width: 8, spare: 2, cell: (g) => percent(g.reportedScore) },
    { head: 'conns', width: 7, spare: 5, cell: (g) => String(g.connections) },
    rate
      ? { head: 'new/s', width: 6, spare: 6, cell: (g) => (rate.get(g.gateway) ?? 0).toFixed(1) }
      : { head: 'picks', width: 9, spare: 1, cell: (g) => String(g.picks) },
    {
      head: 'weight',
      width: 6,
      spare: 1,
      cell: (g) => (g.effectiveState === 'up' ? `${g.weightPercent} %` : '-'),
    },
    { head: 'age', width: 7, spare: 1, cell: ({ ageMs }) => age(ageMs) },
  ];
  return all.filter((column) => column !== undefined);
}

/** The columns that fit: narrower where they may be, then without the most dispensable ones. */
function fitting(columns: Column[], width: number): Column[] {
  let over = widthOf(columns) - width;
  if (over <= 0) return columns;
  // From right to left: the bar before the names.
  const narrow = columns
    .toReversed()
    .map((column) => {
      const less = Math.max(0, Math.min(over, column.width - (column.least ?? column.width)));
      over -= less;
      return { ...column, width: column.width - less };
    })
    .toReversed();
  const spare = columns.filter((column) => column.spare > 0).sort((a, b) => a.spare - b.spare)[0];
  if (spare === undefined || widthOf(narrow) <= width) return narrow;
  return fitting(
    columns.filter((column) => column !== spare),
    width,
  );
}

function widthOf(columns: Column[]): number {
  return columns.reduce((sum, column) => sum + column.width + GAP.length, -GAP.length);
}

/** Up to half of the room is for those that lookups avoid, first those that nobody took out on purpose. */
function foremost(
  gateways: readonly GatewaySnapshot[],
  most: number,
): { away: GatewaySnapshot[]; hottest: GatewaySnapshot[] } {
  const isOnPurpose = ({ effectiveState }: GatewaySnapshot): boolean =>
    ['draining', 'drain', 'maint'].includes(effectiveState);
  const inUse = gateways.filter(isInUse).sort((a, b) => b.expectedScore - a.expectedScore);
  const away = gateways
    .filter((gateway) => !isInUse(gateway))
    .sort((a, b) => Number(isOnPurpose(a)) - Number(isOnPurpose(b)))
    .slice(0, Math.max(Math.floor(most / 2), most - inUse.length));
  return { away, hottest: inUse.slice(0, most - away.length) };
}

function isInUse({ effectiveState, breaker }: GatewaySnapshot): boolean {
  return effectiveState === 'up' && breaker !== 'open';
}

function footOf(table: TableSnapshot, cut: string, paint: (name: Color, text: string) => string): string {
  const all = table.gateways.length;
  const up = table.gateways.filter(({ effectiveState }) => effectiveState === 'up').length;
  const foot = paint('grey', `${up} of ${all} gateways up, table version ${table.version}${cut}`);
  return table.frozen ? `${foot}${paint('red', ', FROZEN: serving the last good table')}` : foot;
}

/** Whether its load is news: of a gateway that fell silent it says nothing. */
function isKnown({ effectiveState }: GatewaySnapshot): boolean {
  return !['stale', 'suspect', 'expired'].includes(effectiveState);
}

function remarkOn(gateway: GatewaySnapshot, own: ReadonlyMap<string, string> | undefined): string {
  const { desired, breaker } = gateway;
  return [
    own?.get(gateway.gateway) ?? '',
    breaker === 'closed' ? '' : `breaker ${breaker}`,
    desired.state === 'up' ? '' : desired.reason,
  ]
    .filter((remark) => remark !== '')
    .join(', ');
}

function padded(text: string, width: number, left = false): string {
  const cut = text.length > width ? `${text.slice(0, width - 1)}…` : text;
  return left ? cut.padEnd(width) : cut.padStart(width);
}

/** Cut in the middle, and less at the end: that is where most names differ. */
function shortened(text: string, width: number): string {
  if (text.length <= width) return text;
  const end = Math.ceil((width - 1) * 0.6);
  return `${text.slice(0, width - 1 - end)}…${text.slice(text.length - end)}`;
}

/** The least width, up to `most`, at which no two of them look the same. */
function leastDistinct(ids: readonly string[], most: number): number {
  for (let width = LEAST_ID_WIDTH; width < most; width++) {
    if (new Set(ids.map((id) => shortened(id, width))).size === ids.length) return width;
  }
  return most;
}

function widest(head: string, texts: string[]): number {
  return Math.min(16, Math.max(head.length, ...texts.map((text) => text.length)));
}

function bar(load: number, width: number): string {
  const filled = Math.min(width, Math.round(Math.max(0, load) * width));
  return '█'.repeat(filled) + '░'.repeat(width - filled);
}

function percent(ratio: number): string {
  return ratio < 10 ? `${(ratio * 100).toFixed(1)} %` : '> 999 %';
}

function age(ms: number): string {
  return ms < 10_000 ? `${Math.round(ms)} ms` : `${Math.round(ms / 1_000)} s`;
}

function loadColor({ expectedScore }: GatewaySnapshot): Color {
  if (expectedScore > 0.9) return 'red';
  return expectedScore > 0.7 ? 'yellow' : 'green';
}

function stateColor({ effectiveState }: GatewaySnapshot): Color {
  switch (effectiveState) {
    case 'up':
      return 'green';
    case 'draining':
    case 'drain':
    case 'maint':
      return 'yellow';
    case 'stale':
    case 'suspect':
    case 'expired':
      return 'red';
  }
}
