// Opens one Herald to the world: its store, its timers, then the four listeners, one after the other; and closes it.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Address } from '../daemon/address.ts';
import { formatAddress, reachable } from '../daemon/address.ts';
import type { Clock } from '../daemon/clock.ts';
import { every } from '../daemon/clock.ts';
import type { Running } from '../daemon/lifecycle.ts';
import { CLOSE_DEADLINE_MS } from '../daemon/lifecycle.ts';
import { startTelemetry } from '../daemon/telemetry.ts';
import { startAgentPorts } from './agent-check/agent-ports.ts';
import type { AssembledHerald, HeraldParts } from './assemble-herald.ts';
import { assembleHerald } from './assemble-herald.ts';
import { checkConfig } from './config/config-check.ts';
import type { HeraldConfig } from './config/herald-options.ts';
import { openHeraldStore } from './herald-store.ts';
import { closeHttp, listenHttp } from './http/http-server.ts';

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

export async function startHerald(config: HeraldConfig, parts: HeraldParts): Promise<HeraldHandle> {
  checkConfig(config);
  const { log, metrics, clock } = parts;
  const herald = assembleHerald(config, parts);
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
    reach.agentAddress = formatAddress(reachable(agents.address));
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

/** The core's own time, and once a second what is known as metrics. */
function startTimers(
  { balancer, brokers, meters, traffic, reach }: AssembledHerald,
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

function urlOf(address: Address, scheme = 'http'): string {
  return `${scheme}://${formatAddress(reachable(address))}`;
}
