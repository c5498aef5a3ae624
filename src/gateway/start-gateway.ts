// (8) Wires one gateway: the hub in the middle, the WebSocket door before it, the brokers' link behind it, the
// reporter beside it. Nothing is decided here.

import { setTimeout as sleep } from 'node:timers/promises';
import { getHeapStatistics } from 'node:v8';
import type { Clock } from '../daemon/clock.ts';
import { every } from '../daemon/clock.ts';
import { connectionRoom } from '../daemon/descriptors.ts';
import type { Running } from '../daemon/lifecycle.ts';
import { CLOSE_DEADLINE_MS } from '../daemon/lifecycle.ts';
import type { Log } from '../daemon/log.ts';
import type { Counter, Metrics } from '../daemon/metrics.ts';
import { deriveKey } from '../daemon/secrets.ts';
import { startTelemetry } from '../daemon/telemetry.ts';
import { verifyTicket } from '../daemon/ticket-key.ts';
import { createBrokerLink } from './feed/broker-link.ts';
import { openClientPublishing } from './clients/client-publishing.ts';
import type { CheckedConfig } from './config/config-check.ts';
import { checkConfig, gatewayId, gatewayUrl, socketLimits } from './config/config-check.ts';
import { Admission } from './core/admission.ts';
import type { Capability } from './core/capabilities.ts';
import { BUILT_IN_CAPABILITIES } from './core/capabilities.ts';
import type { BrokerLink, FeedEvents } from './core/feed-port.ts';
import { Hub } from './core/hub.ts';
import { Outbox } from './core/outbox.ts';
import type { Allocate } from './core/ws-frame.ts';
import { createDeflate } from './clients/deflate-zlib.ts';
import { Door } from './clients/door.ts';
import { FanOut } from './clients/fan-out.ts';
import { startGatewayMeters } from './status/gateway-meters.ts';
import type { GatewayConfig } from './config/gateway-options.ts';
import type { GatewayParts, PublishForClient } from './gateway-parts.ts';
import type { GatewaySnapshot } from './status/gateway-snapshot.ts';
import { gatewaySnapshot } from './status/gateway-snapshot.ts';
import { Moving } from './clients/moving.ts';
import { startReporting } from './reporting.ts';
import { Roster } from './clients/roster.ts';
import { createSqueeze } from './squeeze.ts';
import { Tracing } from './tracing.ts';
import { bindWsServer } from './clients/ws-server.ts';

export interface StartGatewayParts {
  log: Log;
  metrics: Metrics;
  clock: Clock;
  /** The brokers; by default a ZeroMQ link that follows what Herald says. */
  openLink?: (events: FeedEvents) => BrokerLink;
  /** Capabilities beyond the built-in ones. */
  capabilities?: readonly Capability[];
  /** Where publications of clients go; by default the publisher SDK. Used only if config allows any. */
  publish?: PublishForClient;
  random?: () => number;
}

export interface GatewayHandle extends Running {
  id: string;
  url: string;
  addresses: { ws: string; http: string };
  snapshot(): GatewaySnapshot;
  /** Burns this share of a core inside the process until set to 0; in virtual capacity mode it is only added. */
  squeeze(shareOfCore: number): void;
  /** Asks every client to leave; new ones are refused. `ready` takes it back. */
  drain(order: { spreadMs: number; deadlineMs: number }): void;
  ready(): void;
}

const SWEEP_MS = 1_000;
const LEAVE_POLL_MS = 50;

export async function startGateway(wanted: GatewayConfig, given: StartGatewayParts): Promise<GatewayHandle> {
  const { log, metrics, clock, random = Math.random } = given;
  const checked = checkConfig(wanted);
  const { maxConnections, maxSockets } = socketLimits(wanted.maxConnections, connectionRoom());
  const config = { ...wanted, maxConnections };
  if (maxConnections < wanted.maxConnections) log.warn('few-descriptors', { maxConnections });
  const { reach } = checked;
  const publishing =
    config.publishTopics.length > 0 && !given.publish
      ? await openClientPublishing(config.heralds, reach)
      : undefined;
  // The last thing that is awaited: from here to `serve` nobody can come in. An id made from the address
  // needs the port as bound.
  const server = await bindWsServer({
    address: checked.listen,
    maxFrameBytes: config.maxFrameBytes,
    deflate: config.deflate === 'auto',
    maxSockets,
    certificate: checked.certificate,
    log,
  });
  const id = gatewayId(config, server.address);
  const port = Number(server.address.slice(server.address.lastIndexOf(':') + 1));
  const url = gatewayUrl(config, checked.listen, port);
  const outbox = new Outbox(config.flushShare);
  const hub = openHub(
    config,
    checked,
    outbox,
    metrics.counter('gateway.deflate_saved_bytes', { gateway: id }),
  );
  const tracing = new Tracing(id, hub, metrics, log);
  const fanOut = new FanOut({
    hub,
    outbox,
    clock,
    flushDuration: metrics.timing('gateway.flush_duration', { gateway: id }),
    flushed: () => tracing.flushed(),
  });
  const events = feedInto(hub, fanOut, tracing, clock);
  const link = given.openLink?.(events) ?? createBrokerLink({ ...events, ...reach, log });

  const parts: GatewayParts = {
    config,
    id,
    clock,
    log,
    random,
    allocate,
    hub,
    link,
    admission: openAdmission(config, id, (heraldId) => reporting.reporter?.ticketClockOffsetMs(heraldId)),
    capabilities: [...BUILT_IN_CAPABILITIES, ...(given.capabilities ?? [])],
    publish: given.publish ?? publishing?.publish,
    slow: new Set(),
    doomed: new Set(),
    bytesInBuffers: () => getHeapStatistics().external_memory,
    deliveredBytes: 0,
    unreadReplayBytes: 0,
    unfinishedBytes: 0,
    writes: 0,
    undelivered(frames, cause) {
      hub.ledger.delivered -= frames;
      hub.ledger.dropped[cause] += frames;
    },
    loadPerCost: 0,
  };
  const roster = new Roster(parts);
  const moving = new Moving(parts, roster);
  const door = new Door(parts, roster, moving, metrics, tracing.book);
  const reporting = startReporting({
    parts,
    url,
    roster,
    young: door.young,
    fanOut,
    moving,
    acceptedTotal: () => door.accepted,
  });
  server.serve(
    door.events(() => ({
      brokers: link.snapshot().brokers.filter(({ connected }) => connected).length,
      heralds: reporting.reporter?.snapshot().heralds.filter(({ state }) => state === 'up').length ?? 0,
    })),
  );

  const stopSweeping = every(SWEEP_MS, () => {
    for (const topic of hub.sweep(clock.nowMs(), config.topicLingerMs)) link.unsubscribe(topic);
  });
  const stopMeters = startGatewayMeters({ metrics, parts, roster, fanOut, reporter: reporting.reporter });
  const { certificate } = checked;
  const { statsd } = config;
  const stopTelemetry = startTelemetry({ metrics, daemon: 'gateway', id, statsd, log, certificate });
  const squeeze = createSqueeze();

  const close = async (): Promise<void> => {
    door.shut();
    squeeze.set(0);
    // Herald hears first, so that nobody who is asked to move is sent back here.
    reporting.reporter?.setState('draining');
    server.stopListening();
    const leaveMs = moving.shutdown(config.shutdownSpreadMs);
    const untilMs = clock.nowMs() + leaveMs + 2 * LEAVE_POLL_MS;
    while (roster.size > 0 && clock.nowMs() < untilMs) await sleep(LEAVE_POLL_MS);
    stopSweeping();
    roster.stop();
    fanOut.stop();
    stopMeters();
    await Promise.all([server.close(), link.close(), reporting.close(), publishing?.close()]);
    await stopTelemetry();
  };
  let closing: Promise<void> | undefined;

  return {
    id,
    url,
    addresses: { ws: url, http: `${checked.certificate ? 'https' : 'http'}://${server.address}` },
    snapshot: () =>
      gatewaySnapshot({ parts, roster, moving, door, reporter: reporting.reporter?.snapshot() }),
    squeeze(shareOfCore) {
      // A gateway that plays its load plays its neighbour too.
      if (reporting.virtual) reporting.virtual.extraLoad = shareOfCore;
      else squeeze.set(shareOfCore);
    },
    drain(order) {
      moving.drain(order);
      reporting.reporter?.setState('draining');
    },
    ready() {
      moving.ready();
      reporting.reporter?.setState('up');
    },
    closeDeadlineMs: CLOSE_DEADLINE_MS + config.shutdownSpreadMs,
    close: () => (closing ??= close()),
  };
}

/** Unpooled: a slice of a pool would keep 8 KB alive for as long as one frame waits for a slow client. */
const allocate: Allocate = (size) => (size < 1_024 ? Buffer.allocUnsafe(size) : Buffer.allocUnsafeSlow(size));

function openHub(config: GatewayConfig, checked: CheckedConfig, outbox: Outbox, savedBytes: Counter): Hub {
  return new Hub({
    outbox,
    traitsOf: (topic) => ({
      flushClass: outbox.classOf(checked.maxWaitMs.of(topic)),
      sendsLast: checked.sendsLast.of(topic),
    }),
    history: {
      maxMessages: config.resumeMessages,
      maxBytes: config.resumeBytes,
      maxAgeMs: config.resumeMs,
    },
    historyBudgetBytes: config.historyBytes,
    deflate: createDeflate(config.deflateLevel, (bytes) => savedBytes.add(bytes)),
    deflateFromBytes: config.deflateFromBytes,
    allocate,
  });
}

function feedInto(hub: Hub, fanOut: FanOut, tracing: Tracing, clock: Clock): FeedEvents {
  return {
    onMessages(batch) {
      const nowMs = clock.nowMs();
      for (const message of batch) hub.message(message, nowMs);
      fanOut.wake();
    },
    onGap(gap) {
      hub.gap(gap, clock.nowMs());
      fanOut.wake();
    },
    onTraced: (traced) => tracing.arrived(traced),
  };
}

function openAdmission(
  config: GatewayConfig,
  id: string,
  clockOffsetMs: (heraldId: string) => number | undefined,
): Admission {
  const keys = [config.secret, ...(config.previousSecret === '' ? [] : [config.previousSecret])].map(
    (secret) => deriveKey(secret, 'ticket', id),
  );
  return new Admission({
    // Every key is tried, so that the time taken does not tell which one fits.
    isSigned: (ticket) => keys.map((key) => verifyTicket(key, ticket)).includes(true),
    clockOffsetMs,
    required: config.tickets === 'required',
  });
}
