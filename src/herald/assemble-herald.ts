// Makes the parts of one Herald: the core in the middle, the desks and HTTP apps around it. Nothing is decided here.

import { hostname } from 'node:os';
import type { Address } from '../daemon/address.ts';
import { formatAddress, reachable } from '../daemon/address.ts';
import type { Clock } from '../daemon/clock.ts';
import type { Log } from '../daemon/log.ts';
import type { Metrics } from '../daemon/metrics.ts';
import { readCertificate } from '../daemon/tls.ts';
import { createAgentDesk } from './agent-check/agent-desk.ts';
import { allowedUrls } from './config/allowed-urls.ts';
import { balancerSettings } from './config/balancer-settings.ts';
import { createBrokerBook } from './brokers/broker-book.ts';
import { checkHeraldId } from './config/config-check.ts';
import { createBalancer } from './core/balancer.ts';
import { createHealth } from './status/health.ts';
import { createHeraldMeters } from './status/herald-meters.ts';
import type { HeraldConfig } from './config/herald-options.ts';
import type { HeraldStore } from './herald-store.ts';
import { tableJson } from './http/admin-api.ts';
import { createBootGuard } from './http/boot-guard.ts';
import { createFeedbackDesk } from './http/feedback-desk.ts';
import { createSignatureCheck } from './http/feedback-signature.ts';
import type { ListenerParts } from './http/listeners.ts';
import { createAdminApp, createControlApp, createPublicApp } from './http/listeners.ts';
import { createLookupDesk } from './http/lookup-desk.ts';
import { createReportConnections } from './http/report-connections.ts';
import { createTableStream } from './http/table-stream.ts';
import type { ShareDesired } from './operator-desk.ts';
import { createOperatorDesk } from './operator-desk.ts';
import { optionPairs } from './config/option-pairs.ts';
import { listenAddresses } from './config/private-ports.ts';
import { createRecordStream } from './recording/record-stream.ts';
import { createRecorder, noRecorder } from './recording/recorder.ts';
import { createTicketOffice } from './ticket-office.ts';
import { createTrafficLog } from './status/traffic-log.ts';

export interface HeraldParts {
  log: Log;
  metrics: Metrics;
  clock: Clock;
}

/** How long a nonce is good, unless gateways are forgotten sooner: then `seq` would no longer refuse what was recorded. */
const SIGNED_FOR_MS = 30_000;

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
export function assembleHerald(config: HeraldConfig, { log, metrics, clock }: HeraldParts) {
  const listen = listenAddresses(config);
  const id = heraldId(config, listen.public);
  const startedMs = clock.nowMs();
  const reach: Reach = {
    heralds: [],
    store: undefined,
    agentAddress: formatAddress(reachable(listen.agent)),
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
    clock,
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
    desk: createOperatorDesk({ balancer, traffic, share, clock, log }),
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

export type AssembledHerald = ReturnType<typeof assembleHerald>;

function heraldId(config: HeraldConfig, address: Address): string {
  const id = config.id === '' ? `${hostname()}-${address.port}` : config.id;
  checkHeraldId(id);
  return id;
}
