// The load table as text: one line a gateway, a bar of its expected load, colours where there is a terminal.

import type { GatewaySnapshot, TableSnapshot } from '../herald/core/balancer-types.ts';

export interface RenderOptions {
  color: boolean;
  width?: number;
  /** Lookups a second that named each gateway, when the caller measured them. */
  picksPerSec?: ReadonlyMap<string, number>;
  /** Remarks beside a gateway. */
  remarks?: ReadonlyMap<string, string>;
}

const BAR_WIDTH = 20;
const PAINT = { red: 31, green: 32, yellow: 33, grey: 90, bold: 1 } as const;

export function renderTable(table: TableSnapshot, options: RenderOptions): string {
  const paint = (color: keyof typeof PAINT, text: string): string =>
    options.color ? `\u001b[${PAINT[color]}m${text}\u001b[0m` : text;
  const idWidth = Math.max(7, ...table.gateways.map(({ gateway }) => gateway.length));
  const rate = options.picksPerSec;

  const head = [
    'gateway'.padEnd(idWidth),
    'state'.padEnd(8),
    'expected load'.padEnd(BAR_WIDTH + 7),
    'reported'.padStart(8),
    'conns'.padStart(7),
    rate ? 'new/s'.padStart(7) : 'picks'.padStart(9),
    'weight'.padStart(7),
    'age'.padStart(7),
  ].join('  ');
  const rows = table.gateways.map((gateway) => {
    const cells = [
      gateway.gateway.padEnd(idWidth),
      paint(stateColor(gateway), gateway.effectiveState.padEnd(8)),
      `${paint(loadColor(gateway.expectedScore), bar(gateway.expectedScore))} ${percent(gateway.expectedScore).padStart(6)}`,
      percent(gateway.reportedScore).padStart(8),
      String(gateway.connections).padStart(7),
      rate ? (rate.get(gateway.gateway) ?? 0).toFixed(1).padStart(7) : String(gateway.picks).padStart(9),
      `${gateway.weightPercent} %`.padStart(7),
      age(gateway.ageMs).padStart(7),
    ];
    const remark = options.remarks?.get(gateway.gateway);
    return cells.join('  ') + (remark === undefined ? '' : `  ${paint('yellow', remark)}`);
  });
  const up = table.gateways.filter(({ effectiveState }) => effectiveState === 'up').length;
  const foot = `${up} of ${table.gateways.length} gateways up, table version ${table.version}${table.frozen ? ', FROZEN: serving the last good table' : ''}`;
  if (rows.length === 0) return paint('grey', 'no gateway has reported yet');
  return [paint('bold', head), ...rows, paint('grey', foot)].join('\n');
}

function bar(load: number): string {
  const filled = Math.min(BAR_WIDTH, Math.round(Math.max(0, load) * BAR_WIDTH));
  return '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
}

function percent(ratio: number): string {
  return `${(ratio * 100).toFixed(1)} %`;
}

function age(ms: number): string {
  return ms < 10_000 ? `${Math.round(ms)} ms` : `${Math.round(ms / 1_000)} s`;
}

function loadColor(load: number): 'green' | 'yellow' | 'red' {
  if (load > 0.9) return 'red';
  return load > 0.7 ? 'yellow' : 'green';
}

function stateColor(gateway: GatewaySnapshot): 'green' | 'yellow' | 'red' {
  switch (gateway.effectiveState) {
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
