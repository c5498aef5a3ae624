// Wires one Herald: the core in the middle, the four listeners around it, the store behind it. Nothing is
// decided here.

import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Address } from '../daemon/address.ts';
import { formatAddress, isWildcard } from '../daemon/address.ts';
import type { Clock } from '../daemon/clock.ts';
import { every } from '../daemon/clock.ts';
import { withinRoom } from '../daemon/descriptors.ts';
import type { Running } from '../daemon/lifecycle.ts';
import { CLOSE_DEADLINE_MS } from '../daemon/lifecycle.ts';
import type { Log } from '../daemon/log.ts';
import type { Metrics } from '../daemon/metrics.ts';
import { startTelemetry } from '../daemon/telemetry.ts';
import { REPORT_LIMITS } from '../protocol/load-report.ts';
import { createAgentDesk } from './agent-desk.ts';
import { startAgentPorts } from './agent-ports.ts';
import { allowedUrls } from './allowed-urls.ts';
import { balancerSettings } from './balancer-settings.ts';
import { createBrokerBook } from './broker-book.ts';
import { checkConfig, checkHeraldId } from './config-check.ts';
import { createBalancer } from './core/balancer.ts';
import { createHealth } from './health.ts';
import { createHeraldMeters } from './herald-meters.ts';
import type { HeraldConfig } from './herald-options.ts';
import type { HeraldStore } from './herald-store.ts';
import { openHeraldStore } from './herald-store.ts';
import { registerAdminApi, tableJson } from './http/admin-api.ts';
import { guardAdmin } from './http/admin-guard.ts';
import { createBootGuard } from './http/boot-guard.ts';
import { registerControlApi } from './http/control-api.ts';
import { createPlaces } from './http/control-places.ts';
import { createFeedbackDesk } from './http/feedback-desk.ts';
import { createSignatureCheck } from './http/feedback-signature.ts';
import { closeHttp, createHttpServer, listenHttp } from './http/http-server.ts';
import { createLookupDesk } from './http/lookup-desk.ts';
import { registerPublicApi } from './http/public-api.ts';
import { createReportConnections } from './http/report-connections.ts';
import { createTableStream } from './http/table-stream.ts';
import type { ShareDesired } from './operator-desk.ts';
import { createOperatorDesk } from './operator-desk.ts';
import { optionPairs } from './option-pairs.ts';
import { listenAddresses } from './private-ports.ts';
import { createRecordStream } from './record-stream.ts';
import { createRecorder, noRecorder } from './recorder.ts';
import { createTicketOffice } from './tickets.ts';
import { createTrafficLog } from './traffic-log.ts';

export interface HeraldParts {
  log: Log;
  metrics: Metrics;
  clock: Clock;
}

export interface HeraldHandle extends Running {
  id: string;
  /** `public`, `control`, `admin` as URLs, `agent` as host:port. */
  addresses: { public: string; control: string; agent: string; admin: string };
  /** Every HTTP route of the three listeners, `METHOD /path/:param`; openapi.json is held against it. */
  routes: readonly string[];
}

const TICK_MS = 100;
/** HAProxy asked in this time, so it will ask again; its next question gets the neutral farewell. */
const AGENT_RECENT_MS = 10_000;
/** What closing may take once HAProxy has been told. */
const AFTER_FAREWELL_MS = 1_500;
const MAX_PRIVATE_CONNECTIONS = 10_000;
const ADMIN_BODY_BYTES = 16 * 1024;

export async function startHerald(config: HeraldConfig, parts: HeraldParts): Promise<HeraldHandle> {
  checkConfig(config);
  const { log, metrics, clock } = parts;
  const listen = listenAddresses(config);
  const id = heraldId(config, listen.public);
  const startedMs = clock.nowMs();

  const tickets = createTicketOffice(config.secret, id);
  const balancer = createBalancer({
    ...balancerSettings(config, id, clock.epochMs(), Math.random),
    isSigned: tickets.isSigned,
  });
  const meters = createHeraldMeters(metrics);
  const traffic = createTrafficLog();
  const brokers = createBrokerBook();
  const recorder = createRecordStream(
    config.recordFile === ''
      ? noRecorder
      : createRecorder(config.recordFile, config.recordMaxBytes, startedMs, log),
  );
  let stopping = false;
  let store: HeraldStore | undefined;
  const health = createHealth({
    balancer,
    storeState: () => store?.state(),
    controlTrouble: () => places.trouble(),
    stopping: () => stopping,
  });

  const routes: string[] = [];
  const publicApp = createHttpServer({
    log,
    routes,
    bodyLimitBytes: 1_024,
    keepAliveMs: 5_000,
    // The port that faces the world leaves the private ports their share of the descriptors.
    maxConnections: withinRoom(config.maxPublicConnections, 1 / 2),
    trustProxy: config.trustProxy,
  });
  registerPublicApi(publicApp, {
    desk: createLookupDesk({ balancer, clock, meters, traffic, recorder }),
    tickets,
    clock,
    health,
    corsOrigins: config.corsOrigins,
  });

  const signatures = createSignatureCheck(config.secret);
  const connections = createReportConnections((gateway) => {
    if (stopping) return;
    log.warn('gateway-connection-lost', { gateway });
    balancer.suspect(gateway, clock.nowMs());
  });
  let heralds: readonly string[] = [];
  const controlPlaces = withinRoom(MAX_PRIVATE_CONNECTIONS, 5 / 16);
  const controlApp = createHttpServer({
    log,
    routes,
    bodyLimitBytes: REPORT_LIMITS.maxBodyBytes,
    // Longer than any report period: on this port a close is news about the other side.
    keepAliveMs: 120_000,
    maxConnections: controlPlaces,
  });
  const places = createPlaces(controlApp, controlPlaces, log);
  registerControlApi(controlApp, {
    balancer,
    clock,
    signatures,
    connections,
    brokers,
    takeFeedback: createFeedbackDesk({
      heraldId: id,
      periodMs: config.periodMs,
      balancer,
      clock,
      meters,
      recorder,
      connections,
      bootGuard: signatures.nonce === undefined ? undefined : createBootGuard(),
      allowUrl: allowedUrls(config.allowedUrls),
      heralds: () => heralds,
      brokers: (nowMs) => brokers.list(nowMs),
    }),
  });

  const adminApp = createHttpServer({
    log,
    routes,
    bodyLimitBytes: ADMIN_BODY_BYTES,
    keepAliveMs: 5_000,
    maxConnections: withinRoom(MAX_PRIVATE_CONNECTIONS, 1 / 16),
  });
  // As HAProxy is told to ask; the port of `agentListen` may be known only once it is open.
  let agentAddress = reachable(listen.agent);
  const shareDesired: ShareDesired = async (gateway, desired) =>
    (await store?.shareDesired(gateway, desired)) ?? false;
  const admin = {
    heraldId: id,
    policy: config.policy,
    balancer,
    clock,
    metrics,
    health,
    traffic,
    desk: createOperatorDesk(balancer, traffic, shareDesired, clock, log),
    agentAddress: () => config.agentAddress || agentAddress,
  };
  const stream = createTableStream(() => tableJson(admin));
  guardAdmin(adminApp, config.adminToken, config.adminHosts);
  registerAdminApi(adminApp, { ...admin, stream, recording: recorder });

  const agentDesk = createAgentDesk({
    balancer,
    servers: new Map(optionPairs(config.agentServers, '--agent-servers', 'backend/server=gateway')),
    startedMs,
    warmUpMs: config.staleAfterMs + 2 * config.periodMs,
  });

  // In this order, and backwards on a failure: whoever sees a port open may use it.
  const closers: (() => Promise<unknown>)[] = [() => recorder.close()];
  const closeAll = async (): Promise<void> => {
    for (const close of closers.reverse()) await close();
    closers.length = 0;
  };
  try {
    const stopTelemetry = startTelemetry(metrics, 'herald', id, config.statsd, log);
    closers.push(stopTelemetry);
    const stopTick = every(TICK_MS, () => balancer.tick(clock.nowMs()));
    const stopSecond = every(1_000, () => {
      traffic.roll(clock.epochMs());
      const nowMs = clock.nowMs();
      const snapshot = balancer.snapshot(nowMs);
      meters.table(snapshot);
      const pools = new Set(snapshot.gateways.map(({ pool }) => pool));
      meters.sizes(new Map(Array.from(pools, (pool) => [pool, balancer.autoscale(nowMs, pool)])));
      meters.store(store?.state().problem === undefined);
    });
    closers.push(async () => {
      stopTick();
      stopSecond();
    });
    closers.push(() => closeHttp(controlApp));
    const control = urlOf(await listenHttp(controlApp, listen.control, '--control-listen'));
    const address = {
      id,
      control: config.controlUrl === '' ? control : config.controlUrl,
      public: urlOf(listen.public),
      admin: urlOf(listen.admin),
      agent: admin.agentAddress(),
      startedEpochMs: clock.epochMs(),
    };
    heralds = [address.control];
    const opened = await openHeraldStore({
      config,
      address,
      balancer,
      meters,
      clock,
      log,
      onHeralds: (live) => void (heralds = live.map((one) => one.control)),
      onBrokers: (list) => brokers.setClusterBrokers(list),
    });
    store = opened;
    closers.push(() => opened.close());
    closers.push(async () => {
      stream.close();
      recorder.hangUp();
      await closeHttp(adminApp);
    });
    const adminUrl = urlOf(await listenHttp(adminApp, listen.admin, '--admin-listen'));
    const agents = await startAgentPorts(config, listen.agent, agentDesk, meters, clock, log);
    closers.push(() => agents.close());
    agentAddress = reachable(agents.address);
    closers.push(() => closeHttp(publicApp));
    const publicUrl = urlOf(await listenHttp(publicApp, listen.public, '--public-listen'));
    return {
      id,
      addresses: { public: publicUrl, control, agent: formatAddress(agents.address), admin: adminUrl },
      routes,
      closeDeadlineMs: Math.max(CLOSE_DEADLINE_MS, config.agentFarewellMs + AFTER_FAREWELL_MS),
      async close() {
        stopping = true;
        agentDesk.stop(clock.nowMs());
        const asked = clock.nowMs() - agentDesk.lastAskedMs() < AGENT_RECENT_MS;
        // HAProxy gets the time to hear that this agent stops.
        await Promise.all([sleep(asked ? config.agentFarewellMs : 0), opened.close()]);
        await closeAll();
      },
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

function heraldId(config: HeraldConfig, address: Address): string {
  const id = config.id === '' ? `${hostname()}-${address.port}` : config.id;
  checkHeraldId(id);
  return id;
}

function urlOf(address: Address): string {
  return `http://${reachable(address)}`;
}

/** A wildcard address is no place to send anybody to; this machine's name is. */
function reachable({ host, port }: Address): string {
  return formatAddress({ host: isWildcard(host) ? hostname() : host, port });
}
