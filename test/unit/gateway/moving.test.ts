// How long a gateway's stop takes, whoever stays.

import { expect, it } from 'vitest';
import { CLOSE_DEADLINE_MS } from '../../../src/daemon/lifecycle.ts';
import type { Connection } from '../../../src/gateway/clients/connection.ts';
import { ClosePlan } from '../../../src/gateway/core/close-plan.ts';
import type { GatewayParts } from '../../../src/gateway/gateway-parts.ts';
import { Moving } from '../../../src/gateway/clients/moving.ts';
import type { Roster } from '../../../src/gateway/clients/roster.ts';
import { plainAllocate } from './plain-allocate.ts';

it.each([0, 2_000, 30_000, 60_000])('closes the last one soon after a spread of %i ms', (spreadMs) => {
  const stays = (knowsMove: boolean) =>
    ({ has: () => knowsMove, sendBytes() {} }) as Partial<Connection> as Connection;
  const plannedCloses = new ClosePlan<Connection>();
  const roster = { connections: [stays(true), stays(false)], plannedCloses } as Partial<Roster> as Roster;
  const parts = {
    clock: { nowMs: () => 0, epochMs: () => 0 },
    config: { lookupUrls: [] as readonly string[] },
    random: () => 0.999,
    allocate: plainAllocate,
  };
  const leaveMs = new Moving(parts as unknown as GatewayParts, roster).shutdown(spreadMs);
  expect(plannedCloses.takeDue(leaveMs)).toHaveLength(2);
  expect(leaveMs - spreadMs).toBeLessThan(CLOSE_DEADLINE_MS / 2);
});
