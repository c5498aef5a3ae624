// The daemon of lifecycle.test.ts: does as its first argument says. Not a test itself.
import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns';
import type { Running } from '../../../src/daemon/lifecycle.ts';
import { runUntilSignalled, StartError } from '../../../src/daemon/lifecycle.ts';
import { createLog } from '../../../src/daemon/log.ts';

const SOON_MS = 600;
/** 20 MB: far above what may wait. */
const TALK_LINES = 20_000;
const mode = process.argv[2];
const log = createLog('child', 'info');
const opensNothing = mode === 'opens-nothing';
// What a library leaves behind must not keep a closed daemon alive.
if (!opensNothing) setInterval(() => {}, 1_000);

async function start(): Promise<Running> {
  if (mode === 'slow-start') {
    const goOn = new Promise((resolve) => process.once('SIGUSR2', resolve));
    log.info('starting');
    await goOn;
  }
  if (mode === 'fails') throw new StartError('127.0.0.1:1 is in use; choose another with --listen');
  if (mode === 'throws-later') setImmediate(() => (undefined as unknown as () => void)());
  if (mode === 'rejects-later') void Promise.reject(new Error('nobody caught this'));
  if (mode === 'tells-secrets') {
    log.info('configured', {
      secret: 'hunter2',
      token: 'hunter2',
      gateway: { secret: 'hunter2' },
      port: 7400,
    });
  }
  if (mode === 'says-much') for (let i = 0; i < 20_000; i++) log.info('much', { text: 'x'.repeat(100) });
  if (mode === 'talks') {
    process.on('SIGUSR2', () => {
      for (let line = 0; line < TALK_LINES; line++) log.info('talking', { line, text: 'x'.repeat(1_000) });
      process.stdout.write('talked\n');
    });
  }
  if (mode === 'asks-a-silent-resolver') {
    const resolver = createSocket('udp4');
    await new Promise<void>((resolve) => resolver.bind(53, '127.0.0.1', resolve));
    lookup('herald.example.com', () => log.error('resolved'));
  }
  if (opensNothing) setTimeout(() => log.info('still-here'), SOON_MS).unref();
  log.info('started');
  // The parent may be gone by then.
  process.send?.('started', () => {});
  return {
    ...(mode === 'never-closes-soon' && { closeDeadlineMs: SOON_MS }),
    async close() {
      log.info('closing');
      if (mode?.startsWith('never-closes')) await new Promise(() => {});
    },
  };
}

runUntilSignalled(start, log).catch((error: unknown) => {
  if (!(error instanceof StartError)) throw error;
  console.error(error.message);
  process.exit(1);
});
