// The three HTTP listeners of one Herald, each with the limits that suit those who call it. Not open yet.

import type { FastifyInstance } from 'fastify';
import { withinRoom } from '../../daemon/descriptors.ts';
import type { Log } from '../../daemon/log.ts';
import type { Certificate } from '../../daemon/tls.ts';
import { REPORT_LIMITS } from '../../protocol/load-report.ts';
import type { HeraldConfig } from '../config/herald-options.ts';
import type { AdminApiParts } from './admin-api.ts';
import { registerAdminApi } from './admin-api.ts';
import { guardAdmin } from './admin-guard.ts';
import type { ControlApiParts } from './control-api.ts';
import { registerControlApi } from './control-api.ts';
import type { Places } from './control-places.ts';
import { createPlaces } from './control-places.ts';
import { createHttpServer } from './http-server.ts';
import type { PublicApiParts } from './public-api.ts';
import { registerPublicApi } from './public-api.ts';

export interface ListenerParts {
  config: HeraldConfig;
  log: Log;
  /** Gets every route that is registered. */
  routes: string[];
}

const KEEP_ALIVE_MS = 5_000;
/** Longer than any report period: on the control port a close is news about the other side. */
const CONTROL_KEEP_ALIVE_MS = 120_000;
const PUBLIC_BODY_BYTES = 1_024;
const ADMIN_BODY_BYTES = 16 * 1024;
const MAX_PRIVATE_CONNECTIONS = 10_000;

export function createPublicApp(
  { config, log, routes }: ListenerParts,
  certificate: Certificate | undefined,
  api: PublicApiParts,
): FastifyInstance {
  const app = createHttpServer({
    log,
    routes,
    bodyLimitBytes: PUBLIC_BODY_BYTES,
    keepAliveMs: KEEP_ALIVE_MS,
    // The port that faces the world leaves the private ports their share of the descriptors.
    maxConnections: withinRoom(config.maxPublicConnections, 1 / 2),
    trustProxy: config.trustProxy,
    certificate,
  });
  registerPublicApi(app, api);
  return app;
}

export function createControlApp(
  { log, routes }: ListenerParts,
  api: ControlApiParts,
): { app: FastifyInstance; places: Places } {
  const maxConnections = withinRoom(MAX_PRIVATE_CONNECTIONS, 5 / 16);
  const app = createHttpServer({
    log,
    routes,
    bodyLimitBytes: REPORT_LIMITS.maxBodyBytes,
    keepAliveMs: CONTROL_KEEP_ALIVE_MS,
    maxConnections,
  });
  const places = createPlaces(app, maxConnections, log);
  registerControlApi(app, api);
  return { app, places };
}

export function createAdminApp({ config, log, routes }: ListenerParts, api: AdminApiParts): FastifyInstance {
  const app = createHttpServer({
    log,
    routes,
    bodyLimitBytes: ADMIN_BODY_BYTES,
    keepAliveMs: KEEP_ALIVE_MS,
    maxConnections: withinRoom(MAX_PRIVATE_CONNECTIONS, 1 / 16),
  });
  guardAdmin(app, config.adminToken, config.adminHosts);
  registerAdminApi(app, api);
  return app;
}
