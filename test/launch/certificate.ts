// Certificates made by openssl and trusted by nobody.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TlsFiles } from '../../src/daemon/tls.ts';
import { commandPath } from './require-server.ts';

export const HAS_OPENSSL = commandPath('openssl') !== undefined;

/** A folder of its own for PEM files, to be removed at the end. */
export class CertificateFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'herald-tls-'));

  /** Writes NAME-cert.pem and NAME-key.pem; `place` as in a subjectAltName. */
  make(name: string, days = 30, place = 'IP:127.0.0.1'): TlsFiles {
    const files = {
      tlsCert: join(this.path, `${name}-cert.pem`),
      tlsKey: join(this.path, `${name}-key.pem`),
    };
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    const names = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=${place}`];
    const output = ['-keyout', files.tlsKey, '-out', files.tlsCert];
    execFileSync('openssl', ['req', '-x509', ...key, ...names, '-days', String(days), ...output], {
      stdio: 'ignore',
    });
    return files;
  }

  remove(): void {
    rmSync(this.path, { recursive: true });
  }
}
