// The load table as operators get it, over `GET /v1/table` and the stream: the snapshot of the core, with
// who answers and what is wrong, filtered and ordered.

import { nextTurn } from '../../daemon/clock.ts';
import type { Decoded } from '../../protocol/decode.ts';
import { decoding, refuse } from '../../protocol/decode.ts';
import type { GatewaySnapshot, TableSnapshot } from '../core/balancer-types.ts';

const TABLE_ORDERS = ['gateway', 'expected', 'reported', 'connections', 'age', 'picks'] as const;
export type TableOrder = (typeof TABLE_ORDERS)[number];

export interface TableQuery {
  /** Empty = all pools. */
  pool: string;
  order: TableOrder;
}

export interface TableView extends TableSnapshot {
  heraldId: string;
  policy: string;
  degraded: string[];
}

/** Largest first, but for names. */
const COMPARE: Record<TableOrder, (a: GatewaySnapshot, b: GatewaySnapshot) => number> = {
  gateway: (a, b) => (a.gateway < b.gateway ? -1 : a.gateway > b.gateway ? 1 : 0),
  expected: (a, b) => b.expectedScore - a.expectedScore,
  reported: (a, b) => b.reportedScore - a.reportedScore,
  connections: (a, b) => b.connections - a.connections,
  age: (a, b) => b.ageMs - a.ageMs,
  picks: (a, b) => b.picks - a.picks,
};

export function decodeTableQuery(query: URLSearchParams): Decoded<TableQuery> {
  return decoding(() => {
    const given = query.get('order') ?? 'gateway';
    const order = TABLE_ORDERS.find((name) => name === given);
    return {
      pool: query.get('pool') ?? '',
      order: order ?? refuse('order', given, `one of ${TABLE_ORDERS.join(', ')}`),
    };
  });
}

/** Rows written in one turn of the event loop, some 2 ms. */
const ROWS_PER_TURN = 500;

/** The JSON of a view, in pieces between which lookups are answered. */
export async function tableViewJson({ gateways, ...about }: TableView): Promise<string> {
  let text = `${JSON.stringify(about).slice(0, -1)},"gateways":[`;
  for (let from = 0; from < gateways.length; from += ROWS_PER_TURN) {
    if (from > 0) {
      await nextTurn();
      text += ',';
    }
    text += JSON.stringify(gateways.slice(from, from + ROWS_PER_TURN)).slice(1, -1);
  }
  return `${text}]}`;
}

export function tableView(
  table: TableSnapshot,
  query: TableQuery,
  about: Pick<TableView, 'heraldId' | 'policy' | 'degraded'>,
): TableView {
  const gateways = table.gateways
    .filter((row) => query.pool === '' || row.pool === query.pool)
    .sort(COMPARE[query.order]);
  return { ...about, ...table, gateways };
}
