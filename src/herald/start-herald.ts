// Wires one Herald: the core in the middle, the four listeners around it, the store behind it. Nothing is
// decided here.

import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Address } from '../daemon/address.ts';
import { formatAddress, isWildcard } from '../daemon/address.ts';
import type { Clock } from '../daemon/clock.ts';
import { every } from '../daemon/clock.ts';
import type { Running } from '../daemon/lifecycle.ts';
import { CLOSE_DEADLINE_MS } from '../daemon/lifecycle.ts';
import type { Log } from '../daemon/log.ts';
import type { Metrics } from '../daemon/metrics.ts';
import { startTelemetry } from '../daemon/telemetry.ts';
import { readCertificate } from '../daemon/tls.ts';
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
import { tableJson } from './http/admin-api.ts';
import { createBootGuard } from './http/boot-guard.ts';
import { createFeedbackDesk } from './http/feedback-desk.ts';
import { createSignatureCheck } from './http/feedback-signature.ts';
import { closeHttp, listenHttp } from './http/http-server.ts';
import type { ListenerParts } from './http/listeners.ts';
import { createAdminApp, createControlApp, createPublicApp } from './http/listeners.ts';
import { createLookupDesk } from './http/lookup-desk.ts';
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
/** How long a nonce is good, unless gateways are forgotten sooner: then `seq` would no longer refuse what was recorded. */
const SIGNED_FOR_MS = 30_000;
/** HAProxy asked in this time, so it will ask again; its next question gets the neutral farewell. */
const AGENT_RECENT_MS = 10_000;
/** What closing may take once HAProxy has been told. */
const AFTER_FAREWELL_MS = 1_500;

export async function startHerald(config: HeraldConfig, parts: HeraldParts): Promise<HeraldHandle> {
  checkConfig(config);
  const { log, metrics, clock } = parts;
  const herald = assemble(config, parts);
  const { id, listen, reach, balancer, meters, agentDesk } = herald;
  const scheme = config.tlsCert === '' ? 'http' : 'https';

  // In this order, and backwards on a failure: whoever sees a port open may use it.
  const closers: (() => Promise<unknown>)[] = [() => herald.recorder.close()];
  const closeAll = async (): Promise<void> => {
    for (const close of closers.reverse()) await close();
    closers.length = 0;
  };
  try {
    const { certificate } = herald;
    const degraded = (): number => herald.health().degraded.length;
    const { statsd } = config;
    closers.push(startTelemetry({ metrics, daemon: 'herald', id, statsd, log, certificate, degraded }));
    closers.push(startTimers(herald, clock));
    closers.push(() => closeHttp(herald.controlApp));
    const control = urlOf(await listenHttp(herald.controlApp, listen.control, '--control-listen'));
    const address = {
      id,
      control: config.controlUrl === '' ? control : config.controlUrl,
      public: urlOf(listen.public, scheme),
      admin: urlOf(listen.admin),
      agent: config.agentAddress || reach.agentAddress,
      startedEpochMs: clock.epochMs(),
    };
    reach.heralds = [address.control];
    const store = await openHeraldStore({
      config,
      address,
      balancer,
      meters,
      clock,
      log,
      onHeralds: (live) => void (reach.heralds = live.map((one) => one.control)),
      onBrokers: (list) => herald.brokers.setClusterBrokers(list, clock.nowMs()),
    });
    reach.store = store;
    closers.push(() => store.close());
    closers.push(async () => {
      herald.stream.close();
      herald.recorder.hangUp();
      await closeHttp(herald.adminApp);
    });
    const admin = urlOf(await listenHttp(herald.adminApp, listen.admin, '--admin-listen'));
    const agents = await startAgentPorts({
      config,
      listen: listen.agent,
      desk: agentDesk,
      meters,
      clock,
      log,
    });
    closers.push(() => agents.close());
    reach.agentAddress = reachable(agents.address);
    closers.push(() => closeHttp(herald.publicApp));
    const publicUrl = urlOf(await listenHttp(herald.publicApp, listen.public, '--public-listen'), scheme);
    return {
      id,
      addresses: { public: publicUrl, control, agent: formatAddress(agents.address), admin },
      routes: herald.routes,
      closeDeadlineMs: Math.max(CLOSE_DEADLINE_MS, config.agentFarewellMs + AFTER_FAREWELL_MS),
      async close() {
        reach.stopping = true;
        agentDesk.stop(clock.nowMs());
        const asked = clock.nowMs() - agentDesk.lastAskedMs() < AGENT_RECENT_MS;
        // HAProxy gets the time to hear that this agent stops.
        await Promise.all([sleep(asked ? config.agentFarewellMs : 0), store.close()]);
        await closeAll();
      },
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** What becomes known only while the listeners open. */
interface Reach {
  /** Control URLs of all live Heralds. */
  heralds: readonly string[];
  store: HeraldStore | undefined;
  /** As HAProxy is told to ask. */
  agentAddress: string;
  stopping: boolean;
}

/** Makes all parts and opens nothing but the file of the recording. */
function assemble(config: HeraldConfig, { log, metrics, clock }: HeraldParts) {
  const listen = listenAddresses(config);
  const id = heraldId(config, listen.public);
  const startedMs = clock.nowMs();
  const reach: Reach = {
    heralds: [],
    store: undefined,
    agentAddress: reachable(listen.agent),
    stopping: false,
  };

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
  const health = createHealth({
    balancer,
    storeState: () => reach.store?.state(),
    controlTrouble: () => control.places.trouble(),
    recordingTrouble: () => recorder.trouble(),
    stopping: () => reach.stopping,
  });
  const connections = createReportConnections((gateway) => {
    if (reach.stopping) return;
    log.warn('gateway-connection-lost', { gateway });
    balancer.suspect(gateway, clock.nowMs());
  });

  const listeners: ListenerParts = { config, log, routes: [] };
  const certificate = readCertificate(config);
  const publicApp = createPublicApp(listeners, certificate, {
    desk: createLookupDesk({ balancer, clock, meters, traffic, recorder }),
    tickets,
    clock,
    health,
    corsOrigins: config.corsOrigins,
  });
  const signatures = createSignatureCheck(
    config.secret,
    Math.min(SIGNED_FOR_MS, config.expireAfterMs),
    clock,
  );
  const control = createControlApp(listeners, {
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
      bootGuard: config.secret === '' ? undefined : createBootGuard(),
      allowUrl: allowedUrls(config.allowedUrls),
      heralds: () => reach.heralds,
      brokers: (nowMs) => brokers.list(nowMs),
    }),
  });
  const share: ShareDesired = async (gateway, desired) =>
    (await reach.store?.shareDesired(gateway, desired)) ?? false;
  const view = { heraldId: id, policy: config.policy, balancer, clock, health };
  const stream = createTableStream(() => tableJson(view));
  const adminApp = createAdminApp(listeners, {
    ...view,
    metrics,
    traffic,
    desk: createOperatorDesk(balancer, traffic, share, clock, log),
    stream,
    recording: recorder,
    agentAddress: () => config.agentAddress || reach.agentAddress,
  });
  const agentDesk = createAgentDesk({
    balancer,
    servers: new Map(optionPairs(config.agentServers, '--agent-servers', 'backend/server=gateway')),
    startedMs,
    warmUpMs: config.staleAfterMs + 2 * config.periodMs,
  });
  return {
    id,
    listen,
    reach,
    balancer,
    meters,
    traffic,
    brokers,
    recorder,
    stream,
    agentDesk,
    health,
    certificate,
    publicApp,
    controlApp: control.app,
    adminApp,
    routes: listeners.routes,
  };
}

type Assembled = ReturnType<typeof assemble>;

/** The core's own time, and once a second what is known as metrics. */
function startTimers(
  { balancer, brokers, meters, traffic, reach }: Assembled,
  clock: Clock,
): () => Promise<void> {
  const stopTick = every(TICK_MS, () => balancer.tick(clock.nowMs()));
  const stopSecond = every(1_000, () => {
    traffic.roll(clock.epochMs());
    const nowMs = clock.nowMs();
    const snapshot = balancer.snapshot(nowMs);
    meters.table(snapshot);
    const pools = new Set(snapshot.gateways.map(({ pool }) => pool));
    meters.sizes(new Map(Array.from(pools, (pool) => [pool, balancer.autoscale(nowMs, pool)])));
    meters.brokers(brokers.list(nowMs), brokers.missing(nowMs));
    meters.store(reach.store?.state().problem === undefined);
  });
  return async () => {
    stopTick();
    stopSecond();
  };
}

function heraldId(config: HeraldConfig, address: Address): string {
  const id = config.id === '' ? `${hostname()}-${address.port}` : config.id;
  checkHeraldId(id);
  return id;
}

function urlOf(address: Address, scheme = 'http'): string {
  return `${scheme}://${reachable(address)}`;
}

/** A wildcard address is no place to send anybody to; this machine's name is. */
function reachable({ host, port }: Address): string {
  return formatAddress({ host: isWildcard(host) ? hostname() : host, port });
}
