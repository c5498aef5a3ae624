// TLS on a port that faces clients. The certificate and its key come from two PEM files, which are read again while
// the daemon runs: a certificate that renews itself must not end connections that last for hours.

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { RequestListener, Server, ServerOptions } from 'node:http';
import { createServer } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import { createServer as createTlsServer } from 'node:https';
import { createSecureContext } from 'node:tls';
import { every } from './clock.ts';
import { text } from './config.ts';
import { StartError } from './lifecycle.ts';
import type { Log } from './log.ts';
import { errorFields } from './log.ts';
import { messageOf } from './thrown.ts';

/** For a port that faces clients. */
export const tlsOptions = {
  tlsCert: text(
    '',
    'PEM file of the certificate and its chain, for TLS on the port of clients; empty = no TLS',
  ),
  tlsKey: text('', 'PEM file of its private key; both files are read again when they change'),
} as const;

/** Paths; both empty = no TLS. */
export interface TlsFiles {
  tlsCert: string;
  tlsKey: string;
}

/** As it is served: `followCertificate` puts a new one in its place. */
export interface Certificate {
  files: TlsFiles;
  /** PEM, as read. */
  cert: string;
  key: string;
  /** Milliseconds since 1970. */
  validToMs: number;
}

const LOOK_EVERY_MS = 10_000;
/** Of a socket that says nothing: Node's own default is two minutes. */
const HANDSHAKE_TIMEOUT_MS = 5_000;
/** Those who renew by themselves do so three weeks or more before the end. */
const SOON_MS = 7 * 86_400_000;

/** Undefined where no TLS is wanted. Throws a StartError that names the option and the file. */
export function readCertificate({ tlsCert, tlsKey }: TlsFiles): Certificate | undefined {
  if (tlsCert === '' && tlsKey === '') return undefined;
  if (tlsCert === '' || tlsKey === '') throw new StartError('--tls-cert and --tls-key belong together');
  const cert = attempt(`--tls-cert ${tlsCert}`, () => readFileSync(tlsCert, 'utf8'));
  const key = attempt(`--tls-key ${tlsKey}`, () => readFileSync(tlsKey, 'utf8'));
  const first = attempt(`--tls-cert ${tlsCert}: no certificate in PEM`, () => new X509Certificate(cert));
  const privateKey = attempt(`--tls-key ${tlsKey}: no private key in PEM without a password`, () =>
    createPrivateKey(key),
  );
  if (!first.checkPrivateKey(privateKey)) {
    throw new StartError(
      `--tls-key ${tlsKey}: not the key of the first certificate in ${tlsCert}; a chain follows it`,
    );
  }
  attempt(`--tls-cert ${tlsCert}`, () => createSecureContext({ cert, key }));
  return { files: { tlsCert, tlsKey }, cert, key, validToMs: Date.parse(first.validTo) };
}

function attempt<T>(what: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw new StartError(`${what}: ${messageOf(error)}`);
  }
}

/**
 * An HTTP server, over TLS where there is a certificate. From its files it takes each new one while it listens; open
 * connections keep theirs.
 */
export function createWebServer(
  options: ServerOptions,
  certificate: Certificate | undefined,
  log: Log,
  listener?: RequestListener,
): Server {
  if (certificate === undefined) return createServer(options, listener);
  const tls = { ...pem(certificate), handshakeTimeout: HANDSHAKE_TIMEOUT_MS };
  const server = createTlsServer({ ...options, ...tls }, listener);
  server.once('listening', () => {
    tell(log, certificate);
    server.once('close', every(LOOK_EVERY_MS, followCertificate(server, certificate, log)));
  });
  return server;
}

/**
 * Answers what looks for a new certificate in the files of `current`, makes it the current one and gives it to `server`.
 * While the files do not belong together, or cannot be read, the old one stays.
 */
export function followCertificate(
  server: Pick<TlsServer, 'setSecureContext'>,
  current: Certificate,
  log: Log,
): () => void {
  let told: string | undefined;
  return () => {
    try {
      const found = readCertificate(current.files)!;
      told = undefined;
      if (found.cert === current.cert && found.key === current.key) return;
      server.setSecureContext(pem(found));
      Object.assign(current, found);
      tell(log, found);
    } catch (error) {
      if (told !== messageOf(error)) log.error('certificate-not-renewed', errorFields(error));
      told = messageOf(error);
    }
  };
}

function pem({ cert, key }: Certificate): { cert: string; key: string } {
  return { cert, key };
}

function tell(log: Log, { files, validToMs }: Certificate): void {
  const fields = { file: files.tlsCert, validTo: new Date(validToMs).toISOString() };
  const event = certificateEvent(validToMs - Date.now());
  log[event === 'certificate' ? 'info' : 'warn'](event, fields);
}

/** What is told of a certificate that ends in so many ms. */
export function certificateEvent(leftMs: number): string {
  if (leftMs <= 0) return 'certificate-ended';
  return leftMs < SOON_MS ? 'certificate-ends-soon' : 'certificate';
}
