// `herald gateway --workers N`: N processes of the same command, each on its own port, with its own id and its
// own row in the load table. A worker that dies is started again, with growing waits; the end of the parent
// ends them all.

import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { formatAddress, parseAddress } from '../daemon/address.ts';
import type { Config } from '../daemon/config.ts';
import { CLOSE_DEADLINE_MS, hearStop, HURRIED, StartError } from '../daemon/lifecycle.ts';
import { createLog, errorFields } from '../daemon/log.ts';
import { retryDelayMs } from '../protocol/retry.ts';
import type { gatewayOptions } from '../gateway/config/gateway-options.ts';
import type { ChildSays } from './parent.ts';
import { tellParent } from './parent.ts';

const RESTART_BACKOFF = { minMs: 500, maxMs: 30_000 };
const STABLE_AFTER_MS = 60_000;
/** A worker keeps its own deadline; one that is frozen cannot. */
const AFTER_ITS_DEADLINE_MS = 500;
/** Stands for the worker's number, from 1, in `--url`. */
const NUMBER = '{worker}';

type GatewayConfig = Config<typeof gatewayOptions>;

/** Flags of worker `index` (from 0); given last, they win over the same ones of the command line. */
export function workerFlags(config: GatewayConfig, index: number): string[] {
  const { host, port } = parseAddress(config.listen, '--listen');
  const number = String(index + 1);
  const flags = ['--workers', '1', '--listen', formatAddress({ host, port: port === 0 ? 0 : port + index })];
  if (config.id !== '') flags.push('--id', `${config.id}-${number}`);
  if (config.url !== '') flags.push('--url', config.url.replaceAll(NUMBER, number));
  return flags;
}

/** Throws a StartError when the workers could not be told apart. Resolves when all have ended. */
export async function runWorkers(count: number, config: GatewayConfig): Promise<void> {
  if (config.url !== '' && !config.url.includes(NUMBER)) {
    throw new StartError(
      `--url ${config.url}: with --workers each gateway needs a URL of its own; write ${NUMBER} where its number goes`,
    );
  }
  const log = createLog('workers', config.logLevel);
  const given = process.argv.slice(2);
  const children = new Set<ChildProcess>();
  const addresses: Record<string, string> = {};
  const restarts = new Set<NodeJS.Timeout>();
  let failed: StartError | undefined;
  let stopping = false;

  const kill = (): void => {
    for (const child of children) child.kill('SIGKILL');
  };
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    const deadlineMs = CLOSE_DEADLINE_MS + config.shutdownSpreadMs + AFTER_ITS_DEADLINE_MS;
    setTimeout(() => {
      log.error('close-overdue', { deadlineMs, workers: children.size });
      kill();
    }, deadlineMs).unref();
    for (const timer of restarts) clearTimeout(timer);
    // Not by a signal: systemd sends one of its own to every worker, and a second would end it at once.
    for (const child of children) if (child.connected) child.disconnect();
    if (children.size === 0) ended();
  };
  let ended: () => void = () => {};
  const over = new Promise<void>((resolve) => (ended = resolve));

  const start = (index: number, failures: number): void => {
    const startedMs = performance.now();
    // A process group of its own: Ctrl-C must reach a worker once, through this process, and not twice.
    const child = fork(process.argv[1]!, [...given, ...workerFlags(config, index)], { detached: true });
    children.add(child);
    child.on('message', (message: ChildSays) => {
      if (message.says === 'ready') {
        addresses[`worker${index + 1}`] = message.addresses['ws'] ?? '';
        if (Object.keys(addresses).length === count) tellParent({ says: 'ready', addresses });
      } else if (failures === 0) {
        // What cannot start the first time will not start by trying again: one line, as from one gateway.
        failed ??= new StartError(message.message.split('\n'), message.exitCode);
        stop();
      }
    });
    const gone = (cause: object): void => {
      children.delete(child);
      if (stopping) {
        if (children.size === 0) ended();
        return;
      }
      const again = performance.now() - startedMs > STABLE_AFTER_MS ? 1 : failures + 1;
      const againInMs = retryDelayMs(again, RESTART_BACKOFF, Math.random());
      log.error('worker-ended', { worker: index + 1, ...cause, againInMs });
      const timer = setTimeout(() => {
        restarts.delete(timer);
        start(index, again);
      }, againInMs);
      restarts.add(timer);
    };
    child.once('exit', (exitCode, signal) => gone(signal ? { signal } : { exitCode }));
    // No process to be had (EAGAIN, EMFILE): there is no exit then, and it is tried again as after one.
    child.on('error', (error) => {
      if (child.pid === undefined) gone(errorFields(error));
    });
  };

  hearStop(stop, () => {
    kill();
    process.exit(HURRIED);
  });
  for (let index = 0; index < count; index++) start(index, 0);
  await over;
  if (failed !== undefined) throw failed;
  // The channel to a parent would keep this process.
  if (process.send) process.disconnect();
}
