// docs/several-machines.md as its reader would take it: each file with its secrets past the daemon's own check, and the
// HAProxy configuration past `haproxy -c`.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkHaproxyConfig } from '../../launch/haproxy.ts';
import { HERALD_BIN } from '../../launch/herald-process.ts';
import { commandPath, requireServer } from '../../launch/require-server.ts';

const doc = readFileSync('docs/several-machines.md', 'utf8');
const block = (name: string): string =>
  new RegExp(`^\`\`\`${name}\\n([^]*?)^\`\`\``, 'm').exec(doc)?.[1] ?? `no block ${name}`;

const keys = (): { own: string; secret: string } => {
  const printed = execFileSync(process.execPath, [HERALD_BIN, 'keys'], { encoding: 'utf8' });
  const [own, secret] = [...printed.matchAll(/"(.*)"$/gm)].map((line) => line[1]!);
  return { own: own!, secret: secret! };
};

let folder: string;
let brokers: ReturnType<typeof keys>;
let gateways: ReturnType<typeof keys>;
beforeAll(() => {
  [brokers, gateways] = [keys(), keys()];
  folder = mkdtempSync(join(tmpdir(), 'herald-machines-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('docs/several-machines.md', () => {
  it.each(['serve', 'broker', 'gateway'])(
    'its %s.yaml is what the daemon takes, with its secrets',
    (daemon) => {
      const filled = (text: string): string =>
        text
          .replaceAll('BROKERS_PUBLIC', () => brokers.own)
          .replaceAll('BROKERS_SECRET', () => brokers.secret)
          .replaceAll('GATEWAYS_PUBLIC', () => gateways.own)
          .replaceAll('GATEWAYS_SECRET', () => gateways.secret);
      const file = join(folder, `${daemon}.yaml`);
      const secrets = join(folder, `${daemon}.env`);
      writeFileSync(file, filled(block(`yaml ${daemon}`)));
      writeFileSync(secrets, filled(block(`sh ${daemon}.env`)));
      const script = `set -a; . "$1"; exec "$2" "$3" config check "$4" "$5"`;
      const output = execFileSync(
        'sh',
        ['-c', `${script} 2>&1`, 'sh', secrets, process.execPath, HERALD_BIN, daemon, file],
        {
          encoding: 'utf8',
        },
      );
      // The folder comes with the unit's first start.
      const warning = /^herald: warning: snapshotFile: there is no folder \/var\/lib\/herald, .*\n/;
      expect(output.replace(warning, '')).toBe(`${file}: a valid configuration of herald ${daemon}\n`);
    },
  );

  it.runIf(requireServer('haproxy') && commandPath('openssl') !== undefined)(
    'its HAProxy configuration is one, without a trap',
    async () => {
      const [key, certificate, both] = ['key', 'certificate', 'both'].map((name) =>
        join(folder, `${name}.pem`),
      );
      execFileSync(
        'openssl',
        [
          'req',
          '-x509',
          '-newkey',
          'rsa:2048',
          '-nodes',
          '-subj',
          '/CN=*.example.com',
          '-keyout',
          key!,
          '-out',
          certificate!,
        ],
        { stdio: 'ignore' },
      );
      writeFileSync(both!, readFileSync(certificate!, 'utf8') + readFileSync(key!, 'utf8'));
      const config = block('haproxy').replace('/etc/haproxy/example.com.pem', both!);
      expect(await checkHaproxyConfig(config)).toMatchObject({ ok: true });
      const file = join(folder, 'haproxy.cfg');
      writeFileSync(file, config);
      expect(
        execFileSync(process.execPath, [HERALD_BIN, 'haproxy', 'lint', file], { encoding: 'utf8' }),
      ).toContain('no trap found');
    },
  );
});
