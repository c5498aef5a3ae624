// `herald drain --wait`, by what the Herald that it asks says meanwhile.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import { HERALD_BIN } from '../../launch/herald-process.ts';
import { oneHerald, report } from '../herald/one-herald.ts';
import { herald } from './run-herald.ts';

describe('waiting for a drain', () => {
  it('ends when somebody lifts it, or its time is up', async () => {
    const one = await oneHerald();
    await fetch(`${one.addresses.control}/v1/feedback`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(report('gw-1', { connections: 5 })),
    });
    const asked = ['--for', '1s', '--wait', '--admin', one.addresses.admin];
    const { code, stderr } = await herald(['drain', 'gw-1', ...asked]);
    await one.close();
    expect(stderr).toBe('5 connections left\nherald: gw-1: not done; it is wanted up again\n');
    expect(code).toBe(1);
  });

  /** A Herald's admin port that gives these answers about gw-1, and the last one again and again. */
  async function answeringAdmin(...answers: readonly (readonly [status: number, value: object])[]) {
    let asked = 0;
    const admin = createServer((request, response) => {
      if (request.method === 'POST') return void response.end('{"shared":true}');
      const [status, value] = answers[Math.min(asked, answers.length - 1)]!;
      asked += 1;
      response.writeHead(status).end(JSON.stringify(value));
    });
    await once(admin.listen(0, '127.0.0.1'), 'listening');
    const { port } = admin.address() as AddressInfo;
    return { admin, port, url: `http://127.0.0.1:${port}`, asked: () => asked };
  }

  const draining = { gateway: 'gw-1', connections: 5, desired: { state: 'drain' } };

  it('goes on while the Herald restarts, and takes nothing for done that it does not know yet', async () => {
    const { admin, port, url, asked } = await answeringAdmin(
      [200, draining],
      [404, {}],
      [200, { ...draining, desired: { state: 'up' } }],
      [200, { ...draining, connections: 0 }],
    );
    const child = spawn(process.execPath, [HERALD_BIN, 'drain', 'gw-1', '--wait', '--admin', url]);
    const lines = createInterface({ input: child.stderr });
    expect(await once(lines, 'line')).toEqual(['5 connections left']);
    admin.close();
    admin.closeAllConnections();
    expect(await once(lines, 'line')).toEqual([`${url} is silent; waiting up to 60 s for its return`]);
    admin.listen(port, '127.0.0.1');
    const [code] = (await once(child, 'close')) as [number];
    admin.close();
    expect([code, asked()]).toEqual([0, 4]);
  });

  it('ends where Herald refuses to say', async () => {
    const refusal = { title: 'Unavailable', detail: 'see the log' };
    const { admin, url } = await answeringAdmin([200, { ...draining, connections: 1 }], [503, refusal]);
    const { stderr, code } = await herald(['drain', 'gw-1', '--wait', '--admin', url]);
    admin.close();
    expect(stderr).toBe('1 connection left\nherald: 503 Unavailable: see the log\n');
    expect(code).toBe(1);
  });
});
