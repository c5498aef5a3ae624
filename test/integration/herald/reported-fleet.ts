// One Herald of this process with real reporters pushing to it over HTTP: whom it names is then asked over HTTP.

import { join } from 'node:path';
import { expect } from 'vitest';
import type { Clock } from '../../../src/daemon/clock.ts';
import type { HeraldConfig } from '../../../src/herald/config/herald-options.ts';
import type { Directive } from '../../../src/protocol/load-report.ts';
import type { LookupReply, Problem } from '../../../src/protocol/lookup.ts';
import type { Reporter } from '../../../src/reporter/index.ts';
import { startReporter } from '../../../src/reporter/index.ts';
import type { Child } from '../../launch/child.ts';
import { startChild } from '../../launch/child.ts';
import { transpiled } from '../../launch/transpiled.ts';
import type { OneHerald } from './one-herald.ts';
import { ask, oneHerald } from './one-herald.ts';

export interface Load {
  cpu: number;
  connections?: number;
  maxConnections?: number;
}
export interface Place {
  pool?: string;
  zone?: string;
  labels?: Record<string, string>;
  onDirective?: (directive: Directive) => void;
}
export type Refusal = Problem & { retryAfter: number };

export interface ReportedFleet {
  herald: OneHerald;
  /** A gateway of this process; what comes back changes its load, until Herald believes it. */
  gateway(id: string, load: Load, place?: Place): Promise<(load: Load) => Promise<void>>;
  /** Gateways of a process of their own, to be killed. */
  processOf(gateways: string[]): Promise<Child>;
  lookup(query?: string): Promise<LookupReply>;
  refusal(query?: string): Promise<Refusal>;
  /** Who most of 20 lookups were sent to; eight draws of two may miss one of them now and then. */
  mostly(query?: string): Promise<string>;
  admin(path: string): string;
  asked<T>(path: string): Promise<T>;
  close(): Promise<void>;
}

/** The observer believes a lasting change, not a first surprise. */
const REPORTS_TO_BELIEVE = 12;

/** Many cheap connections, so that a few lookups change no load, and no age that a slow machine could reach. */
export async function reportedFleet(
  config: Partial<HeraldConfig> = {},
  clock?: Clock,
): Promise<ReportedFleet> {
  const patient = { staleAfterMs: 20_000, expireAfterMs: 60_000, handshakeSeconds: 0, mover: 'off' } as const;
  const herald = await oneHerald({ ...patient, ...config }, clock);
  const heralds = [herald.addresses.control];
  const reporters: Reporter[] = [];
  const children: Child[] = [];
  const admin = (path: string): string => `${herald.addresses.admin}${path}`;
  const lookup = async (query = ''): Promise<LookupReply> => {
    const { status, text } = await ask(`${herald.addresses.public}/v1/lookup?n=0&${query}`);
    if (status !== 200) throw new Error(text);
    return JSON.parse(text) as LookupReply;
  };
  return {
    herald,
    admin,
    lookup,
    async gateway(id, load, place = {}) {
      let now = load;
      const reporter = startReporter({
        heralds,
        gateway: id,
        url: `ws://127.0.0.1:7410/${id}`,
        ...place,
        counters: () => ({
          connections: now.connections ?? 50_000,
          ...(now.maxConnections !== undefined && { maxConnections: now.maxConnections }),
        }),
        signals: () => ({
          cpu: now.cpu,
          throttled: undefined,
          eventLoop: undefined,
          loopDelayP99Ms: undefined,
          memory: undefined,
          descriptors: undefined,
        }),
      });
      reporters.push(reporter);
      await reporter.flush();
      return async (changed) => {
        now = changed;
        for (let i = 0; i < REPORTS_TO_BELIEVE; i++) await reporter.flush();
      };
    },
    async processOf(gateways) {
      const entry = join(process.cwd(), 'test/e2e/faults/reporter-child.ts');
      const orders = JSON.stringify({ heralds, gateways, obeys: false });
      const child = startChild(process.execPath, [transpiled(entry), orders]);
      children.push(child);
      await child.line(/reporting/);
      return child;
    },
    async refusal(query = '') {
      const { status, text, headers } = await ask(`${herald.addresses.public}/v1/lookup?${query}`);
      expect(status).toBe(503);
      return { ...(JSON.parse(text) as Problem), retryAfter: Number(headers.get('retry-after')) };
    },
    async mostly(query = '') {
      const named = new Map<string, number>();
      for (let i = 0; i < 20; i++) {
        const { gateway } = await lookup(query);
        named.set(gateway, (named.get(gateway) ?? 0) + 1);
      }
      const [most] = [...named].sort((a, b) => b[1] - a[1]);
      return most![1] >= 16 ? most![0] : JSON.stringify([...named]);
    },
    asked: async <T>(path: string) => JSON.parse((await ask(admin(path))).text) as T,
    async close() {
      await Promise.all(reporters.map((one) => one.close()));
      await Promise.all(children.map((one) => one.stop()));
      await herald.close();
    },
  };
}
