// docs/haproxy.md as its reader would run it: the shell blocks in their order as one script, with free ports in
// the place of the documented ones, and every HAProxy block past `haproxy -c`.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startChild } from '../../launch/child.ts';
import { freePorts } from '../../launch/free-port.ts';
import { checkHaproxyConfig } from '../../launch/haproxy.ts';
import { HERALD_BIN } from '../../launch/herald-process.ts';
import { requireServer } from '../../launch/require-server.ts';
import { defaults } from './rig.ts';

const doc = readFileSync('docs/haproxy.md', 'utf8');

/** Blocks of one language, without the indentation of the list they stand in. */
function blocks(language: string): string[] {
  return [...doc.matchAll(new RegExp(`^( *)\`\`\`${language}\n([^]*?)^ *\`\`\``, 'gm'))].map(
    ([, indent, text]) => text!.replaceAll(new RegExp(`^${indent!}`, 'gm'), ''),
  );
}

const PORTS = ['7400', '7401', '7402', '7403', '7410', '7411', '8404', '8410', '5555'];

describe.runIf(requireServer('haproxy'))('docs/haproxy.md', () => {
  it('its shell blocks lead from nothing to balanced', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'herald-docs-'));
    mkdirSync(join(folder, 'node_modules/.bin'), { recursive: true });
    symlinkSync(HERALD_BIN, join(folder, 'node_modules/.bin/herald'));
    const free = await freePorts(PORTS.length);
    const port = (documented: string): number => free[PORTS.indexOf(documented)]!;
    const here = (text: string): string =>
      PORTS.reduce((out, one) => out.replaceAll(new RegExp(`\\b${one}\\b`, 'g'), String(port(one))), text);
    const script = blocks('sh').map((block, i) => `echo "== ${i}"\n${block}`);
    writeFileSync(join(folder, 'doc.sh'), `set -eu\n${here(script.join('\n'))}\necho "== end"\n`);
    // The defaults that the reader has without saying so.
    const env = {
      PATH: `${process.env['PATH']}:/usr/sbin`,
      HERALD_PUBLIC_LISTEN: `127.0.0.1:${port('7400')}`,
      HERALD_CONTROL_LISTEN: `127.0.0.1:${port('7401')}`,
      HERALD_AGENT_LISTEN: `127.0.0.1:${port('7402')}`,
      HERALD_ADMIN_LISTEN: `127.0.0.1:${port('7403')}`,
      HERALD_HERALDS: `http://127.0.0.1:${port('7401')}`,
      HERALD_ADMIN: `http://127.0.0.1:${port('7403')}`,
    };
    const child = startChild('bash', ['doc.sh'], { cwd: folder, env });
    try {
      await child.line(/== end/, 150_000).catch((error: unknown) => {
        throw new Error(`${String(error)}\n${child.stdout()}\n${child.stderr()}`);
      });
      const output = child.stdout();
      expect(output).toContain('no trap found');
      expect(output).toMatch(/gw-1,UP,\d+\ngw-2,UP,\d+/);
      expect(output).toMatch(/gw-1,DRAIN[^,]*,\d+\ngw-2,UP,\d+/);
      expect(output).toMatch(/^ready up \d+%$/m);
    } finally {
      try {
        process.kill(Number(readFileSync(join(folder, 'haproxy.pid'), 'utf8').trim()));
      } catch {
        // HAProxy was never started.
      }
      await child.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  }, 180_000);

  it('its HAProxy blocks are accepted by HAProxy', async () => {
    const found = blocks('haproxy');
    expect(found).toHaveLength(2);
    // Together, since a backend alone listens nowhere.
    expect(await checkHaproxyConfig(`${defaults()}${found.join('\n')}`)).toMatchObject({ ok: true });
  });

  it('a file for several Heralds, from here and from deploy, is accepted without a warning', async () => {
    const own = /cat > haproxy.cfg <<'END'\n([^]*?)^END$/m.exec(blocks('sh').join('\n'))?.[1] ?? '';
    expect(own).toContain('frontend sockets');
    const gateways = 'backend gateways\n    server gw-1 127.0.0.1:7410\n\n';
    for (const config of [
      `${own}${gateways}${blocks('haproxy').join('\n')}`,
      readFileSync('deploy/haproxy/haproxy.cfg', 'utf8'),
    ]) {
      const { ok, output } = await checkHaproxyConfig(config);
      expect([ok, output]).toEqual([true, expect.not.stringContaining('WARNING')]);
    }
  });
});
