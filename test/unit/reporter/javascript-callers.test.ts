// Programs without a compiler: what could never be reported is said at once, and trouble where somebody sees it.

import { once } from 'node:events';
import { afterEach, expect, it } from 'vitest';
import { silentLog } from '../../../src/daemon/log.ts';
import type { Reporter, ReporterOptions } from '../../../src/reporter/index.ts';
import { startReporter } from '../../../src/reporter/index.ts';

let reporter: Reporter | undefined;
afterEach(async () => {
  await reporter?.close();
});

function start(options: object): Reporter {
  return startReporter({
    gateway: 'g',
    url: 'ws://127.0.0.1:1/ws',
    counters: () => ({ connections: 0 }),
    ...options,
  } as ReporterOptions);
}

it.each<[object, string]>([
  [{}, 'heralds: received nothing, expected a list'],
  [{ heralds: 'http://127.0.0.1:7401' }, 'heralds: received "http://127.0.0.1:7401", expected a list'],
  [{ heralds: ['127.0.0.1:7401'] }, "not a Herald's http:// or https:// URL: 127.0.0.1:7401"],
  [{ heralds: [] }, 'heralds: received [], expected a list'],
  [{ heralds: ['http://127.0.0.1:1'], url: 'https://g/' }, 'url: received "https://g/"'],
  [
    { heralds: ['http://127.0.0.1:1'], secret: 'x' },
    'secret: received one of 1, expected a text of at least 16',
  ],
  [
    { heralds: ['http://127.0.0.1:1'], previousSecret: 5 },
    'previousSecret: received number, expected a text',
  ],
  [
    { heralds: ['http://127.0.0.1:1'], counters: undefined },
    'counters: received nothing, expected a function',
  ],
  [
    { heralds: ['http://127.0.0.1:1'], signals: { cpu: 1 } },
    'signals: received {"cpu":1}, expected a function',
  ],
  [
    { heralds: ['http://127.0.0.1:1'], counters: () => Promise.resolve({ connections: 1 }) },
    'counters: received {}, expected { connections: a number',
  ],
  [
    { heralds: ['http://127.0.0.1:1'], counters: () => {} },
    'counters: received nothing, expected { connections: a number',
  ],
  [
    { heralds: ['http://127.0.0.1:1'], maxConnection: 5 },
    'startReporter: unknown option maxConnection; there are heralds, gateway, ',
  ],
  [{ herald: ['http://127.0.0.1:1'] }, 'startReporter: unknown option herald; did you mean heralds?'],
  [{ heralds: ['http://127.0.0.1:1'], labels: 'plan=pro' }, 'labels: received "plan=pro", expected { key'],
  [{ heralds: ['http://127.0.0.1:1'], log: null }, 'log: received null, expected an object with warn'],
  [{ heralds: ['http://127.0.0.1:1'], clock: 5 }, 'clock: received 5, expected an object with epochMs'],
])('with %o there is none', (options, words) => {
  expect(() => start(options)).toThrow(TypeError);
  expect(() => start(options)).toThrow(words);
});

it.each([[undefined], [null], ['http://h:7401']])('there is none of %o', (options) => {
  const call = (): Reporter => startReporter(options as never);
  expect(call).toThrow(TypeError);
  expect(call).toThrow(/^startReporter: received .*, expected \{ heralds, gateway, url, counters \}$/);
});

it('knows no state but up and draining', () => {
  reporter = start({ heralds: ['http://127.0.0.1:1'], log: silentLog });
  expect(() => reporter!.setState('drain' as 'draining')).toThrow(
    'received "drain", expected up or draining',
  );
  expect(reporter.snapshot().state).toBe('up');
});

it('warns the process that no Herald takes its reports, unless it is given a log', async () => {
  const warned = once(process, 'warning');
  reporter = start({ heralds: ['http://127.0.0.1:1'] });
  const [warning] = (await warned) as [Error];
  expect(`${warning.name}: ${warning.message}`).toMatch(
    /^HeraldReporter: herald-unreachable .*"http:\/\/127.0.0.1:1".*ECONNREFUSED/,
  );
});
