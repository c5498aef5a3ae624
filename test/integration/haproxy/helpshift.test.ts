// `herald serve --helpshift`: files of helpshift/herald on a real HTTP server and real files.

import { rmSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { agentSays } from '../../launch/agent-says.ts';
import { freePort } from '../../launch/free-port.ts';
import { oneHerald } from '../herald/one-herald.ts';
import { folder, herald, json, README_EXAMPLE, service } from './helpshift-rig.ts';

const FULL_LINE = /^(ready|drain|maint) (up|down) ([1-9]\d?|100)%( # [\x20-\x7e]+)?\n$/;

it("the README's example answers as the original does, in whole lines", async () => {
  const port = await freePort();
  const { url } = await service(json({ 'msg-pre-second': 1_750 }));
  await herald(README_EXAMPLE(port, url));
  // The original says 75%.
  await expect.poll(() => agentSays(port)).toBe('ready up 75%\n');
  expect(await agentSays(port, 'anything at all\n')).toBe('ready up 75%\n');
});

it('a value above 100 % and a stale one are answered, where the original sends an empty line', async () => {
  const port = await freePort();
  const over = await service(json({ 'msg-pre-second': 9_999 }));
  const quick = README_EXAMPLE(port, over.url)
    .replace('interval: 30', 'interval: 0.1')
    .replace('staleness_interval: 120', 'staleness_interval: 0.5');
  await herald(quick);
  await expect.poll(() => agentSays(port)).toBe('ready up 1%\n');
  over.answer = json({ 'msg-pre-second': 700 });
  await expect.poll(() => agentSays(port)).toBe('ready up 90%\n');
  over.answer = (_request, response) => response.writeHead(500).end();
  await expect.poll(() => agentSays(port)).toMatch(/^ready up 1% # stale: no reading for \d s\n$/);
  over.answer = json({ 'msg-pre-second': 700 });
  await expect.poll(() => agentSays(port)).toBe('ready up 90%\n');
});

it('interval 0 reads when asked, and says so when that takes too long', async () => {
  const port = await freePort();
  const inline = await service(json({ 'msg-pre-second': 3_500 }));
  await herald(README_EXAMPLE(port, inline.url).replace('interval: 30', 'interval: 0'));
  expect(await agentSays(port)).toBe('ready up 50%\n');
  inline.answer = json({ 'msg-pre-second': 700 });
  expect(await agentSays(port)).toBe('ready up 90%\n');
  expect(inline.asked()).toBe(2);
  // A health check that never answers: one request is under way, however many ask.
  inline.answer = () => {};
  const answers = await Promise.all(Array.from({ length: 20 }, () => agentSays(port)));
  expect(new Set(answers)).toEqual(new Set(['ready up 1% # stale: no reading in time\n']));
  expect(inline.asked()).toBe(3);
});

it('every plugin of every file is loaded, and agent-send chooses', async () => {
  const [port, second] = [await freePort(), await freePort()];
  const file = join(folder, 'state');
  writeFileSync(file, 'maxed out\n');
  const { url } = await service(json({ rate: 25 }));
  const two = `
name: api77
bind: 127.0.0.1
port: ${port}
plugins:
  - name: state
    herald_plugin_name: herald_file
    file_path: ${file}
    interval: 1
    patterns:
      - ready: '.*healthy.*'
      - drain: '.*maxed.*'
  - name: rate
    herald_plugin_name: herald_http
    url: ${url}
    is_json: yes
    interval: 1
    default: true
    thresholds_metric: r['rate']
    thresholds:
      - pct: 100
`;
  await herald(two, README_EXAMPLE(second, url).replace("'msg-pre-second'", "'rate'"));
  await expect.poll(() => agentSays(port, 'api77/state\n')).toMatch(/^drain up 100%/);
  expect(await agentSays(port, 'state\n')).toMatch(/^drain up/);
  await expect.poll(() => agentSays(port, 'api77/rate\n')).toBe('ready up 75%\n');
  // Nothing sent, or nothing known: the plugin marked `default`, which crashes the original.
  for (const line of ['', 'other/state\n', 'nobody\n', '\n', '\u0000 ?\n', 'x'.repeat(5_000)]) {
    expect(await agentSays(port, line), JSON.stringify(line).slice(0, 20)).toBe('ready up 75%\n');
  }
  await expect.poll(() => agentSays(second)).toBe('ready up 99%\n');
});

it('a file is read as it changes, vanishes and returns', async () => {
  const port = await freePort();
  const file = join(folder, 'load');
  const config = `
port: ${port}
bind: 127.0.0.1
plugins:
  - name: load
    herald_plugin_name: herald_file
    file_path: ${file}
    interval: 0.05
    staleness_interval: 0.6
    staleness_response: down
    thresholds_metric: "float(r.split()[0]) * 100"
    thresholds: [{pct: 400}]
`;
  writeFileSync(file, '1.00 0.5 0.2 1/300 7\n');
  await herald(config);
  await expect.poll(() => agentSays(port)).toBe('ready up 75%\n');
  writeFileSync(file, '3.00 0.5 0.2 1/300 7\n');
  await expect.poll(() => agentSays(port)).toBe('ready up 25%\n');
  for (const odd of ['', 'no number', '9'.repeat(2_000_000), '\u0000'.repeat(100)]) {
    writeFileSync(file, odd);
    await expect.poll(() => agentSays(port)).toMatch(/^ready down 100% # stale/);
    writeFileSync(file, '3.00\n');
    await expect.poll(() => agentSays(port)).toBe('ready up 25%\n');
  }
  rmSync(file);
  await expect.poll(() => agentSays(port)).toMatch(/^ready down 100% # stale/);
});

describe('a service that behaves badly', () => {
  const bad: Record<string, RequestListener> = {
    'answers 10 MB': (_request, response) => response.end(`{"msg-pre-second": 1, "x": "${'x'.repeat(1e7)}"}`),
    'never ends': (_request, response) => {
      response.write('{"msg-pre-second": 1');
    },
    'nests without end': (_request, response) =>
      response.end(`{"msg-pre-second": ${'['.repeat(200_000)}${']'.repeat(200_000)}}`),
    'says 1e999': (_request, response) => response.end('{"msg-pre-second": 1e999}'),
    'says a text': json({ 'msg-pre-second': '1750' }),
    'knows no such key': json({ other: 1 }),
    'redirects to itself': (request, response) => response.writeHead(302, { location: request.url }).end(),
    'cuts the connection': (request) => void request.socket.destroy(),
  };
  it('is stale, and Herald answers on', async () => {
    const cases = await Promise.all(
      Object.keys(bad).map(async (how) => ({
        how,
        port: await freePort(),
        wild: await service(json({ 'msg-pre-second': 700 })),
      })),
    );
    const files = cases.map(({ port, wild }) =>
      README_EXAMPLE(port, wild.url)
        .replace('interval: 30', 'interval: 0.1')
        .replace('staleness_interval: 120', 'staleness_interval: 1.5')
        .replace('staleness_response: noop', 'staleness_response: drain'),
    );
    const { addresses } = await herald(...files);
    for (const { how, port, wild } of cases) {
      await expect.poll(() => agentSays(port), { timeout: 5_000, message: how }).toBe('ready up 90%\n');
      wild.answer = bad[how]!;
    }
    for (const { how, port } of cases) {
      const stale = /^drain up 100% # stale/;
      await expect.poll(() => agentSays(port), { timeout: 10_000, message: how }).toMatch(stale);
    }
    expect((await fetch(`${addresses.public}/livez`)).status).toBe(200);
  });
});

it('sends the credentials of the URL, and follows a redirect', async () => {
  const port = await freePort();
  const guarded = await service((request, response) => {
    if (request.url === '/health_check') response.writeHead(302, { location: '/real' }).end();
    else if (request.headers.authorization !== `Basic ${btoa('ops:p@ss')}`) response.writeHead(401).end();
    else response.end('{"msg-pre-second": 3500}');
  });
  await herald(README_EXAMPLE(port, guarded.url.replace('http://', 'http://ops:p%40ss@')));
  await expect.poll(() => agentSays(port)).toBe('ready up 50%\n');
});

it.each([
  ['no file', undefined, /no such file/],
  ['a broken one', 'plugins: [', /config\.yml/],
  ['aliases without end', `a: &a [x]\n${bomb(8)}\nplugins: []`, /alias/i],
  ['too large', `# ${'x'.repeat(300_000)}`, /at most 262144/],
  [
    'an expression that is code',
    README_EXAMPLE(1, 'http://x/').replace("r['msg", "exit(r['msg"),
    /thresholds_metric/,
  ],
])('%s stops the start', async (_what, text, words) => {
  const path = join(folder, 'config.yml');
  if (text !== undefined) writeFileSync(path, text);
  await expect(oneHerald({ helpshift: [path] })).rejects.toThrow(words);
});

/** Lists of aliases to lists of aliases: nine to the power of `levels` items. */
function bomb(levels: number): string {
  const names = 'abcdefghijklm';
  return Array.from({ length: levels }, (_, i) => {
    const of = Array(9).fill(`*${names[i]}`).join(', ');
    return `${names[i + 1]}: &${names[i + 1]} [${of}]`;
  }).join('\n');
}

it('who may ask is what the file says: it may leave loopback', async () => {
  const port = await freePort();
  const { url } = await service(json({ 'msg-pre-second': 700 }));
  const { metrics } = await herald(README_EXAMPLE(port, url).replace('bind: 127.0.0.1', 'bind: 0.0.0.0'));
  await expect.poll(() => agentSays(port)).toMatch(FULL_LINE);
  const counted = metrics.counters().filter(({ name }) => name === 'herald.agent_checks');
  expect(counted.map(({ tags }) => tags['outcome'])).toEqual(['ready']);
});
