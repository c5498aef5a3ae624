// `herald gateway --workers N`: N processes of the same command, each on its own port and with its own id. A
// worker that dies is started again, with growing waits; the end of the parent ends them all.

import { fork } from 'node:child_process';
import { formatAddress, parseAddress } from '../daemon/address.ts';
import type { Config } from '../daemon/config.ts';
import { retryDelayMs } from '../protocol/retry.ts';
import type { gatewayOptions } from '../gateway/gateway-options.ts';

const RESTART_BACKOFF = { minMs: 500, maxMs: 30_000 };
const STABLE_AFTER_MS = 60_000;

export function runWorkers(count: number, config: Config<typeof gatewayOptions>): Promise<void> {
  const { host, port } = parseAddress(config.listen, '--listen');
  const given = process.argv.slice(2);
  const children = new Set<ReturnType<typeof fork>>();
  let stopping = false;

  const start = (index: number, failures: number): void => {
    const startedMs = performance.now();
    const flags = [
      '--workers',
      '1',
      '--listen',
      formatAddress({ host, port: port === 0 ? 0 : port + index }),
    ];
    if (config.id !== '') flags.push('--id', `${config.id}-${index + 1}`);
    const child = fork(process.argv[1]!, [...given, ...flags]);
    children.add(child);
    child.on('exit', () => {
      children.delete(child);
      if (stopping) return;
      const again = performance.now() - startedMs > STABLE_AFTER_MS ? 0 : failures + 1;
      setTimeout(() => start(index, again), retryDelayMs(again, RESTART_BACKOFF, Math.random()));
    });
  };
  for (let index = 0; index < count; index++) start(index, 0);

  return new Promise((resolve) => {
    const stop = (): void => {
      stopping = true;
      for (const child of children) child.kill('SIGTERM');
      const ended = [...children].map((child) => new Promise((done) => child.once('exit', done)));
      void Promise.all(ended).then(() => resolve());
    };
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
  });
}
