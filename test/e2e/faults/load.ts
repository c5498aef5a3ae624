// The steady load: closed loops that look up at each Herald directly, as clients that go on to the next
// Herald, and through HAProxy. Every answer goes to the oracle.

import { setTimeout as sleep } from 'node:timers/promises';
import { openLookupLine } from './lookup-line.ts';
import type { LookupLine } from './lookup-line.ts';
import type { Oracle, Road } from './oracle.ts';

export interface LoadPlan {
  heralds: readonly { id: string; publicUrl: string }[];
  /** Lookups through HAProxy too, when given. */
  haproxyUrl?: string;
  /** In all; reached where the machine allows. */
  lookupsPerSec: number;
  oracle: Oracle;
}

export interface Load {
  /** Lookups a second since the start or the last call. */
  rate(): number;
  stop(): Promise<void>;
}

const LOOPS_PER_HERALD = 5;
const CLIENT_LOOPS = 6;
const HAPROXY_LOOPS = 3;
const DIRECT_DEADLINE_MS = 1_500;
/** What a client waits for one Herald before it asks the next. */
const CLIENT_ATTEMPT_MS = 300;
const AFTER_TROUBLE_MS = 50;

interface Hop {
  herald: string;
  line: LookupLine;
}

export function startLoad(plan: LoadPlan): Load {
  const { heralds, oracle } = plan;
  const loops =
    heralds.length * LOOPS_PER_HERALD + CLIENT_LOOPS + (plan.haproxyUrl === undefined ? 0 : HAPROXY_LOOPS);
  const periodMs = (1_000 * loops) / plan.lookupsPerSec;
  const stopping = new AbortController();
  const stopped = (): boolean => stopping.signal.aborted;
  let asked = 0;
  let sinceMs = performance.now();

  /** Asks along the hops until one answers with 200; the loop then stays with that one. */
  const loop = async (road: Road, hops: readonly Hop[], attemptMs: number): Promise<void> => {
    let at = 0;
    let dueMs = performance.now() + Math.random() * periodMs;
    while (!stopped()) {
      const waitMs = dueMs - performance.now();
      // Without a turn of the event loop here, a loop that is behind would starve the others.
      await sleep(Math.max(0, waitMs));
      dueMs = Math.max(dueMs + periodMs, performance.now() - periodMs);
      const askedMs = performance.now();
      let answer = await hops[at]!.line.ask(attemptMs);
      for (let tries = 1; answer.status !== 200 && tries < hops.length; tries++) {
        at = (at + 1) % hops.length;
        answer = await hops[at]!.line.ask(attemptMs);
      }
      if (stopped() && answer.status === 0) return;
      asked += 1;
      oracle.record({ road, herald: hops[at]!.herald, askedMs, answeredMs: performance.now(), ...answer });
      if (answer.status !== 200) await sleep(AFTER_TROUBLE_MS);
    }
  };

  const lines: LookupLine[] = [];
  const hop = (herald: string, url: string): Hop => {
    const line = openLookupLine(url);
    lines.push(line);
    return { herald, line };
  };
  const running: Promise<void>[] = [];
  for (const { id, publicUrl } of heralds) {
    for (let i = 0; i < LOOPS_PER_HERALD; i++) {
      running.push(loop('direct', [hop(id, publicUrl)], DIRECT_DEADLINE_MS));
    }
  }
  for (let i = 0; i < CLIENT_LOOPS; i++) {
    const turned = heralds.map((_, k) => heralds[(i + k) % heralds.length]!);
    running.push(
      loop(
        'client',
        turned.map(({ id, publicUrl }) => hop(id, publicUrl)),
        CLIENT_ATTEMPT_MS,
      ),
    );
  }
  if (plan.haproxyUrl !== undefined) {
    for (let i = 0; i < HAPROXY_LOOPS; i++) {
      running.push(loop('haproxy', [hop('', plan.haproxyUrl)], DIRECT_DEADLINE_MS));
    }
  }

  return {
    rate() {
      const nowMs = performance.now();
      const rate = (1_000 * asked) / (nowMs - sinceMs);
      asked = 0;
      sinceMs = nowMs;
      return rate;
    },
    async stop() {
      stopping.abort();
      await Promise.all(lines.map((line) => line.close()));
      await Promise.all(running);
    },
  };
}
