// A process that reports as a gateway, to be killed, stopped and started like one.

import { join } from 'node:path';
import type { Child } from '../../launch/child.ts';
import { startChild } from '../../launch/child.ts';
import { transpiled } from '../../launch/transpiled.ts';

export interface Told {
  gateway: string;
  heraldId: string;
  directive: Record<string, { reason?: string }>;
}

export interface GatewayNode {
  gateways: readonly string[];
  /** Resolves when a Herald has answered its reports. */
  start(env?: Record<string, string>): Promise<void>;
  /** kill -9; returns at once, the kernel does the rest. */
  kill(): void;
  gone(): Promise<void>;
  freeze(): void;
  thaw(): void;
  /** Announces by itself that it drains. */
  drain(): void;
  stop(): Promise<void>;
  /** Directives that Heralds gave it since its start. */
  told(): Told[];
}

export function createGatewayNode(
  gateways: readonly string[],
  heralds: readonly string[],
  obeys = false,
): GatewayNode {
  let child: Child | undefined;
  return {
    gateways,
    async start(env = {}) {
      child = startChild(process.execPath, [reporterScript(), JSON.stringify({ heralds, gateways, obeys })], {
        env,
      });
      await child.line(/^reporting$/m, 20_000);
    },
    kill: () => child?.signal('SIGKILL'),
    async gone() {
      await child?.exited;
    },
    freeze: () => child?.signal('SIGSTOP'),
    thaw: () => child?.signal('SIGCONT'),
    drain: () => child?.signal('SIGUSR2'),
    stop: async () => child?.stop(),
    told: () =>
      (child?.stdout() ?? '')
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as Told),
  };
}

/** Compiled already when this file runs compiled, else compiled now. */
function reporterScript(): string {
  return import.meta.filename.endsWith('.ts')
    ? transpiled(join(import.meta.dirname, 'reporter-child.ts'))
    : join(import.meta.dirname, 'reporter-child.js');
}
