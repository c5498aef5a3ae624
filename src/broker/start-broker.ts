// (7) One broker: joins the core to its sockets, its timers, HTTP publish and the announcement. close() drains:
// it turns publishers away, forwards what it acked, and waits for the gateways to say they have it.

import { randomBytes } from 'node:crypto';
import { formatAddress } from '../daemon/address.ts';
import type { Clock } from '../daemon/clock.ts';
import { atMost, createFineClock, every } from '../daemon/clock.ts';
import type { Running } from '../daemon/lifecycle.ts';
import { CLOSE_DEADLINE_MS } from '../daemon/lifecycle.ts';
import type { Log } from '../daemon/log.ts';
import { errorFields } from '../daemon/log.ts';
import type { Metrics } from '../daemon/metrics.ts';
import { startTelemetry } from '../daemon/telemetry.ts';
import { watchDescriptors } from '../daemon/watch-descriptors.ts';
import type { BrokerAddress } from '../protocol/broker-address.ts';
import { parseBrokers } from '../publisher/broker-reach.ts';
import { startAnnouncing } from './peers/announce.ts';
import { createBrokerMeters } from './broker-meters.ts';
import type { OwnSockets } from './broker-zmq.ts';
import { openOwnSockets } from './broker-zmq.ts';
import type { BrokerCoreSnapshot } from './core/broker-core.ts';
import { BrokerCore, DEFAULT_BROKER_LIMITS } from './core/broker-core.ts';
import { PassingTraces } from './core/passing-traces.ts';
import { createForwarder } from './forwarder.ts';
import type { BrokerConfig } from './config/config-check.ts';
import { checkConfig, peerKeys, serverKeys } from './config/config-check.ts';
import { enterCluster } from './peers/cluster-entry.ts';
import { createHeartbeat } from './heartbeat.ts';
import type { HttpDoor } from './publishing/http-door.ts';
import { openHttpDoor } from './publishing/http-door.ts';
import type { Journal } from './journal/journal.ts';
import { openJournal } from './journal/journal.ts';
import { keepCopies } from './peers/keep-copies.ts';
import { createPublishDesk, LOOK_MS } from './publishing/publish-desk.ts';
import { createRepairDesk } from './repair-desk.ts';

export type { BrokerConfig } from './config/config-check.ts';

export interface BrokerParts {
  log: Log;
  metrics: Metrics;
  clock: Clock;
}

export interface BrokerSnapshot extends BrokerCoreSnapshot {
  id: string;
  epoch: string;
  state: 'up' | 'draining';
  envelopes: number;
}

export interface BrokerHandle extends Running {
  readonly addresses: { publish: string; subscribe: string; repair: string; http: string };
  /** What it announces: where others reach it. */
  address(): BrokerAddress;
  snapshot(): BrokerSnapshot;
}

const HEADS_PERIOD_MS = 1_000;
/** What acks and the last envelopes may take to leave once the sockets are closed. */
const LINGER_MS = 1_000;
/** HTTP requests that still wait for an ack then are answered by nobody: the process has 4 s to end. */
const HTTP_CLOSE_AT_MOST_MS = 800;

export async function startBroker(config: BrokerConfig, parts: BrokerParts): Promise<BrokerHandle> {
  const { log, metrics, clock } = parts;
  const listens = checkConfig(config);
  const curve = serverKeys(config);
  const peers = parseBrokers(config.brokers);
  const nowMs = (): number => clock.nowMs();
  const epoch = newEpoch();
  const core = openCore(config, epoch, nowMs());
  const keepMs = config.ringSeconds * 1_000;
  const journal =
    config.journal === ''
      ? undefined
      : await openJournal({ directory: config.journal, id: config.id, core, keepMs, nowMs, log });
  let state: 'up' | 'draining' = 'up';

  const sockets = await openOwnSockets({
    publish: `tcp://${formatAddress(listens.publish)}`,
    subscribe: `tcp://${formatAddress(listens.subscribe)}`,
    repair: `tcp://${formatAddress(listens.repair)}`,
    lingerMs: LINGER_MS,
    ...(curve && { curve }),
    onError: (socket, error) => log.error('socket-failed', { socket, ...errorFields(error) }),
  }).catch(async (error: unknown) => {
    await journal?.close();
    throw error;
  });
  const { publishDesk, repairDesk, forwarder, heartbeat } = openWays({
    broker: config.id,
    core,
    journal,
    sockets,
    clock,
  });

  const address = (): BrokerAddress => ({
    id: config.id,
    publish: advertised(sockets.endpoints.publish, config.advertiseHost),
    subscribe: advertised(sockets.endpoints.subscribe, config.advertiseHost),
    repair: advertised(sockets.endpoints.repair, config.advertiseHost),
    http: http === undefined ? '' : advertised(http.url, config.advertiseHost),
    epoch,
    state,
  });
  const snapshot = (): BrokerSnapshot => ({
    id: config.id,
    epoch,
    state,
    envelopes: forwarder.envelopes,
    ...core.snapshot(),
  });
  const descriptors = watchDescriptors(log);
  const degraded = (): string[] =>
    [descriptors.trouble(), journal?.trouble()].filter((one) => one !== undefined);
  let http: HttpDoor | undefined;
  if (listens.http) {
    const brokers = [address(), ...peers.filter(({ id }) => id !== config.id)];
    const parts = { listen: listens.http, config, brokers, log, state: () => state, degraded, snapshot };
    http = await openHttpDoor(parts).catch(async (error: unknown) => {
      descriptors.stop();
      await sockets.close();
      await journal?.close();
      throw error;
    });
  }

  const entry = enterCluster(config, address(), log);
  const stopCopies =
    config.standbyMegabytes === 0
      ? () => {}
      : keepCopies({
          core,
          ownId: config.id,
          heralds: config.heralds,
          brokers: peers,
          curve: peerKeys(config),
          nowMs,
          log,
        });
  const secrets = [config.secret, config.previousSecret].filter((secret) => secret !== '');
  const announcer = startAnnouncing({ heralds: config.heralds, secrets, address, log });
  const meters = createBrokerMeters(metrics, config.id);
  const stopTelemetry = startTelemetry({
    metrics,
    daemon: 'broker',
    id: config.id,
    statsd: config.statsd,
    log,
    degraded: () => degraded().length,
  });
  const stopTimers = [
    descriptors.stop,
    // No jitter: gateways take a missed heartbeat for a lost broker, and each broker starts at another time.
    every(HEADS_PERIOD_MS, () => heartbeat.beat(state), 0),
    every(LOOK_MS, () => publishDesk.look(), 0),
    every(1_000, () => {
      core.trim(nowMs());
      journal?.tick();
      meters.update(core.snapshot());
    }),
  ];

  const drain = async (): Promise<void> => {
    state = 'draining';
    log.info('draining', { broker: config.id });
    const told = announcer.tell();
    entry.update(address());
    // HTTP first: what it has taken must still find a broker, and this one may be the only one.
    await atMost(HTTP_CLOSE_AT_MOST_MS, http?.close());
    for (const stop of stopTimers) stop();
    publishDesk.drain();
    forwarder.flush();
    heartbeat.sendHeads('bye');
    // A gateway may connect again only now, and one that hears nothing would have to ask itself what it missed.
    const stopGoodbyes = every(HEADS_PERIOD_MS, () => heartbeat.sendHeads('bye'), 0);
    const { waitingFor } = await repairDesk.everybodyLeft(config.drainMs);
    if (waitingFor > 0) log.warn('drained-with-gateways-behind', { waitingFor });
    await told;
    await Promise.all([announcer.withdraw(), entry.withdraw()]);
    stopGoodbyes();
    stopCopies();
    // Acks wait for it.
    await journal?.close();
    await sockets.close();
    meters.update(core.snapshot());
    await stopTelemetry();
  };
  let closed: Promise<void> | undefined;

  return {
    addresses: { ...sockets.endpoints, http: http?.url ?? '' },
    address,
    snapshot,
    closeDeadlineMs: CLOSE_DEADLINE_MS + config.drainMs,
    close: () => (closed ??= drain()),
  };
}

interface WaysParts {
  broker: string;
  core: BrokerCore;
  journal: Journal | undefined;
  sockets: OwnSockets;
  clock: Clock;
}

/** The ways of messages between the sockets and the core, open from now on. */
function openWays({ broker, core, journal, sockets, clock }: WaysParts) {
  const nowMs = (): number => clock.nowMs();
  const traces = new PassingTraces(broker, createFineClock());
  const publishDesk = createPublishDesk({
    core,
    traces,
    reply: (peer, frame) => sockets.reply('publish', peer, frame),
    nowMs,
    onAccepted: () => forwarder.schedule(),
  });
  const repairDesk = createRepairDesk(core, (peer, frame) => sockets.reply('repair', peer, frame), nowMs);
  const forwarder = createForwarder({
    core,
    traces,
    listeners: sockets.listeners,
    broadcast: (frame, notes) => sockets.broadcast(frame, notes),
    nowMs,
    onSent() {
      if (journal) journal.flushed(publishDesk.takeAcks());
      else publishDesk.sendAcks();
    },
    keep: journal && ((envelope) => journal.append(envelope)),
  });
  const heartbeat = createHeartbeat({
    broker,
    core,
    forwarder,
    broadcast: (frame) => sockets.broadcast(frame),
    clock,
  });
  sockets.read(
    (peer, frame, notes) => publishDesk.take(peer, frame, notes),
    (peer, frame) => repairDesk.take(peer, frame),
  );
  return { publishDesk, repairDesk, forwarder, heartbeat };
}

function openCore(config: BrokerConfig, epoch: string, nowMs: number): BrokerCore {
  const ringBytes = config.ringMegabytes * 1024 * 1024;
  return new BrokerCore(epoch, config.cluster, nowMs, {
    ...DEFAULT_BROKER_LIMITS,
    ringBytes,
    ringBytesPerBucket: Math.ceil(ringBytes / 8),
    ringAgeMs: config.ringSeconds * 1_000,
    topics: config.maxTopics,
    standbyBytes: config.standbyMegabytes * 1024 * 1024,
    standbyAgeMs: config.standbySeconds * 1_000,
  });
}

/** Ten letters and digits that no other life of any broker has. */
function newEpoch(): string {
  return randomBytes(8).readBigUInt64BE().toString(36).padStart(10, '0').slice(-10);
}

/** The bound endpoint with the host others use. */
function advertised(endpoint: string, host: string): string {
  if (host === '') return endpoint;
  const [scheme] = endpoint.split(':', 1);
  const port = Number(endpoint.slice(endpoint.lastIndexOf(':') + 1));
  return `${scheme}://${formatAddress({ host, port })}`;
}
