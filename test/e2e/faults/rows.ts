// The fault table, in the order it is run: ZooKeeper is still down when the first row begins.

import type { Row } from './row.ts';
import { clocksOff } from './rows/clocks-off.ts';
import { desiredHolds } from './rows/desired.ts';
import { gatewayLost } from './rows/gateway-lost.ts';
import { heraldCut } from './rows/herald-cut.ts';
import { heraldLost } from './rows/herald-lost.ts';
import { leaderKilled } from './rows/leader-killed.ts';
import { serverFrozen } from './rows/server-frozen.ts';
import { sessionExpired } from './rows/session-expired.ts';
import { twoMovers } from './rows/two-movers.ts';
import { zookeeperAbsent } from './rows/zookeeper-absent.ts';

export const ROWS: Record<string, Row> = {
  absent: zookeeperAbsent,
  leader: leaderKilled,
  frozen: serverFrozen,
  expired: sessionExpired,
  herald: heraldLost,
  cut: heraldCut,
  gateway: gatewayLost,
  desired: desiredHolds,
  movers: twoMovers,
  clocks: clocksOff,
};
