// Who may ask agent-check, at Herald's own port and at those of helpshift/herald files, seen from an address
// of this machine that is not loopback; and where HAProxy is told to ask.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { agentSays } from '../../launch/agent-says.ts';
import { freePorts } from '../../launch/free-port.ts';
import type { OneHerald } from './one-herald.ts';
import { ask, feed, oneHerald, report } from './one-herald.ts';

const outside = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ internal, family }) => !internal && family === 'IPv4')?.address;
if (outside === undefined) {
  if (process.env['CI'] === 'true') throw new Error('this machine has no address but loopback');
  console.warn('\n*** SKIPPED: refusals of agent-check: this machine has no address but loopback\n');
}
/** Nobody's (RFC 5737). */
const STRANGER = '203.0.113.7';

let folder: string;
const heralds: OneHerald[] = [];
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'herald-allow-'))));
afterEach(async () => {
  // Together, since each one stays a moment to tell HAProxy that it goes.
  await Promise.all(heralds.splice(0).map((one) => one.close()));
  rmSync(folder, { recursive: true, force: true });
});

async function herald(options: Parameters<typeof oneHerald>[0] = {}): Promise<OneHerald> {
  const one = await oneHerald(options);
  heralds.push(one);
  return one;
}

function helpshiftFile(port: number): string {
  writeFileSync(join(folder, 'load'), '25');
  const path = join(folder, `${port}.yml`);
  writeFileSync(
    path,
    `name: myservice
bind: 0.0.0.0
port: ${port}
plugins:
  - name: load
    herald_plugin_name: herald_file
    file_path: ${join(folder, 'load')}
    interval: 1
    staleness_interval: 60
    staleness_response: noop
    thresholds_metric: "float(r)"
    thresholds:
      - pct: 100
`,
  );
  return path;
}

test.runIf(outside)('--agent-allow says who may ask, of Herald and of helpshift/herald files', async () => {
  const ports = await freePorts(3);
  const files = ports.map(helpshiftFile);
  const agentListen = '0.0.0.0:0';
  const anybody = { helpshift: [files[0]!] };
  const others = { helpshift: [files[1]!], agentListen, agentAllow: [STRANGER] };
  const us = { helpshift: [files[2]!], agentListen, agentAllow: [STRANGER, `${outside}/32`] };
  const [, closed, open] = await Promise.all([anybody, others, us].map(herald));
  for (const port of ports) await expect.poll(() => agentSays(port)).toBe('ready up 75%\n');
  // A file whose `bind` is everybody's is asked by everybody, as before, until somebody is named.
  expect(await agentSays(ports[0]!, '', outside)).toBe('ready up 75%\n');
  expect(await agentSays(ports[1]!, '', outside)).toBe('');
  expect(await agentSays(ports[2]!, '', outside)).toBe('ready up 75%\n');

  expect(await agentSays(portOf(closed!), 'gw-1\n')).toMatch(/^ready up /);
  expect(await agentSays(portOf(closed!), 'gw-1\n', outside)).toBe('');
  expect(await agentSays(portOf(open!), 'gw-1\n', outside)).toMatch(/^ready up /);
  const refused = closed!.metrics
    .counters()
    .find(({ name, tags }) => name === 'herald.agent_checks' && tags['outcome'] === 'refused');
  expect(refused?.total).toBe(2);
});

test('the written backend asks where this Herald can be reached', async () => {
  const agentOf = async (one: OneHerald, query = ''): Promise<string> => {
    await feed(one, report('gw-1'));
    const { text } = await ask(`${one.addresses.admin}/v1/haproxy.cfg?backend=chat${query}`);
    return /agent-addr (\S+ agent-port \S+)/.exec(text)?.[1] ?? text;
  };
  const near = await herald();
  expect(await agentOf(near)).toBe(`127.0.0.1 agent-port ${portOf(near)}`);
  expect(await agentOf(near, '&agent=10.0.0.9:7409')).toBe('10.0.0.9 agent-port 7409');
  expect(await agentOf(near, '&agent=[2001:db8::9]:7409')).toBe('2001:db8::9 agent-port 7409');
  for (const bad of ['10.0.0.9', '10.0.0.9:7409%20check', 'a%0Ab:1', ':1']) {
    expect(await agentOf(near, `&agent=${bad}`)).toContain('host:port');
  }
  // Every interface is no address that HAProxy could ask.
  const wide = await herald({ agentListen: '0.0.0.0:0', agentAllow: [STRANGER] });
  expect(await agentOf(wide)).toBe(`${hostname()} agent-port ${portOf(wide)}`);

  const named = await herald({ agentAddress: 'agents.example.net:7402' });
  expect(await agentOf(named)).toBe('agents.example.net agent-port 7402');
  await expect(herald({ agentAddress: 'nonsense' })).rejects.toThrow('--agent-address nonsense');
});

function portOf({ addresses }: OneHerald): number {
  return Number(addresses.agent.split(':')[1]);
}
