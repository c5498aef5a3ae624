// One scenario: a server, its crowd and its load, looked at over several windows; the medians count.

import { setTimeout as pause } from 'node:timers/promises';
import type { Crowd } from './clients.ts';
import { openCrowd } from './clients.ts';
import type { ServerChoice } from './servers.ts';
import { startServer } from './servers.ts';
import type { ClientStats } from './words.ts';

export interface Scenario {
  name: string;
  server: ServerChoice;
  deliveriesPerSec: number;
  bytes: number;
  topics?: number;
  deflate?: boolean;
}

export interface Plan {
  connections: number;
  seconds: number;
  repeats: number;
}

export interface Figures {
  /** Frames that reached the clients. */
  perSec: number;
  /** Share of a core the server took. */
  core: number;
  /** CPU of the server for each frame that reached a client. */
  usEach: number;
  framesPerWrite: number | undefined;
  p50Ms: number;
  p99Ms: number;
  loopP99Ms: number | undefined;
  loopMaxMs: number | undefined;
  clientCore: number;
  bytesPerFrame: number;
  /** Frames that reached the clients over frames that were due. */
  arrived: number;
}

/**
 * Windows that pass under load before the first that counts. A daemon runs for weeks; at its start the engine compiles
 * what is measured, in threads that count as well.
 */
const WARM_UP_WINDOWS = 2.5;

export async function measure(scenario: Scenario, plan: Plan): Promise<Figures> {
  const { topics = 1, deflate = false, deliveriesPerSec, bytes } = scenario;
  const { connections } = plan;
  const server = await startServer(scenario.server);
  const clients = await openCrowd(scenario.server.kind, server.port, { connections, topics, deflate });
  await server.publish({ messagesPerSec: (deliveriesPerSec / connections) * topics, bytes, topics });
  await pause(WARM_UP_WINDOWS * plan.seconds * 1_000);
  const windows: Figures[] = [];
  for (let i = 0; i < plan.repeats; i++) {
    const before = await server.stats();
    await clients.ask<ClientStats>('reset');
    const startMs = performance.now();
    const [serverCpuMs, clientCpuMs] = [server.role.cpuMs(), clients.cpuMs()];
    await pause(plan.seconds * 1_000);
    const got = await clients.ask<ClientStats>('stats');
    const tookMs = performance.now() - startMs;
    const cpuMs = server.role.cpuMs() - serverCpuMs;
    const clientMs = clients.cpuMs() - clientCpuMs;
    const after = await server.stats();
    if (got.connected < connections) {
      console.log(`!! ${scenario.name}: ${connections - got.connected} connections were closed`);
    }
    windows.push({
      perSec: (got.frames / tookMs) * 1_000,
      core: cpuMs / tookMs,
      usEach: (cpuMs / got.frames) * 1_000,
      framesPerWrite:
        before && after && (after.delivered - before.delivered) / (after.writes - before.writes),
      p50Ms: got.p50Ms,
      p99Ms: got.p99Ms,
      loopP99Ms: after?.loopP99Ms,
      loopMaxMs: after?.loopMaxMs,
      clientCore: clientMs / tookMs,
      bytesPerFrame: got.bytes / got.frames,
      arrived: got.frames / ((deliveriesPerSec * tookMs) / 1_000),
    });
  }
  await clients.end();
  await server.end();
  return mediansOf(windows);
}

function mediansOf(windows: readonly Figures[]): Figures {
  const middle = (key: keyof Figures): number | undefined => {
    const values = windows.flatMap((window) => window[key] ?? []).sort((a, b) => a - b);
    return key === 'loopMaxMs' ? values.at(-1) : values[Math.floor(values.length / 2)];
  };
  const keys = Object.keys(windows[0]!) as (keyof Figures)[];
  return Object.fromEntries(keys.map((key) => [key, middle(key)])) as unknown as Figures;
}

/** Resident bytes a connection that is subscribed and gets nothing. */
export async function idleBytes(server: ServerChoice, connections: number): Promise<number> {
  const running = await startServer(server);
  const open = (count: number): ReturnType<typeof openCrowd> => {
    const crowd: Crowd = { connections: count, topics: 1, deflate: false };
    return openCrowd(server.kind, running.port, crowd);
  };
  const rss = async (): Promise<number> => {
    await running.tidy();
    await pause(1_000);
    await running.tidy();
    return running.role.rssBytes();
  };
  // The first thousand also pay for code and for heap that is there anyway.
  const first = await open(1_000);
  const before = await rss();
  const rest = await open(connections);
  const after = await rss();
  for (const one of [first, rest, running]) await one.end();
  return (after - before) / connections;
}
