// What a gateway says of itself to the program that started it: plain data, counted at this moment.

import type { ReporterSnapshot } from '../../reporter/index.ts';
import type { CloseRecord } from '../core/close-audit.ts';
import type { FeedSnapshot } from '../core/feed-port.ts';
import type { Ledger } from '../core/ledger.ts';
import type { Door } from '../clients/door.ts';
import type { GatewayParts } from '../gateway-parts.ts';
import type { Moving } from '../clients/moving.ts';
import type { Roster } from '../clients/roster.ts';

export interface GatewaySnapshot {
  id: string;
  state: 'up' | 'draining';
  connections: number;
  acceptedTotal: number;
  subscriptions: number;
  topics: number;
  groups: number;
  historyBytes: number;
  /** Counted at this moment; the metric and the report spread the counting over half a second (BufferSum). */
  bufferedBytes: number;
  deliveredBytes: number;
  /** Fan-out socket writes; `ledger.delivered` over this is frames a write. */
  writes: number;
  moved: number;
  /** False while messages go out uncompressed to save CPU. */
  compressing: boolean;
  ledger: Ledger;
  feed: FeedSnapshot;
  closesByCause: Record<string, number>;
  /** The last ones, newest first. */
  closes: CloseRecord[];
  reporter: ReporterSnapshot | undefined;
}

export interface SnapshotParts {
  parts: GatewayParts;
  roster: Roster;
  moving: Moving;
  door: Door;
  reporter: ReporterSnapshot | undefined;
}

export function gatewaySnapshot({ parts, roster, moving, door, reporter }: SnapshotParts): GatewaySnapshot {
  const { hub } = parts;
  return {
    id: parts.id,
    state: moving.state,
    connections: roster.size,
    acceptedTotal: door.accepted,
    subscriptions: hub.subscriptions,
    topics: hub.topicCount,
    groups: hub.groupCount,
    historyBytes: hub.historyBytes,
    bufferedBytes: roster.connections.reduce((sum, one) => sum + one.bufferedBytes, 0),
    deliveredBytes: parts.deliveredBytes,
    writes: parts.writes,
    moved: moving.moved,
    compressing: hub.compressing,
    ledger: { ...hub.ledger, dropped: { ...hub.ledger.dropped } },
    feed: parts.link.snapshot(),
    closesByCause: Object.fromEntries(door.audit.byCause),
    closes: door.audit.last(),
    reporter,
  };
}
