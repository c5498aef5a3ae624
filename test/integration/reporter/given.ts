// A reporter and a Herald that plays its part, each gone when its test ends.

import { onTestFinished } from 'vitest';
import { silentLog } from '../../../src/daemon/log.ts';
import type { Reporter, ReporterOptions } from '../../../src/reporter/index.ts';
import { startReporter } from '../../../src/reporter/index.ts';
import type { ScriptedHerald } from './scripted-herald.ts';
import { startScriptedHerald } from './scripted-herald.ts';

export async function herald(port?: number): Promise<ScriptedHerald> {
  const started = await startScriptedHerald(port);
  onTestFinished(() => started.close());
  return started;
}

export function reporter(options: Partial<ReporterOptions> & { heralds: string[] }): Reporter {
  const started = startReporter({
    gateway: 'g1',
    url: 'ws://127.0.0.1:1/ws',
    periodMs: 200,
    counters: () => ({ connections: 0 }),
    log: silentLog,
    ...options,
  });
  onTestFinished(() => started.close());
  return started;
}
