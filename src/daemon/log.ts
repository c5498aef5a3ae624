// Structured events on stderr, one JSON object a line. An event has a stable name and fields; it is logged
// once per change of state, never per message. Secrets are never fields; what looks like one is blanked.

import { destination, pino, stdTimeFunctions } from 'pino';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';
export type LogFields = Record<string, unknown>;

export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

/** Every option that is a secret, under its own name, and what carries one over a wire. */
export const SECRET_NAMES: readonly string[] = [
  'secret',
  'previousSecret',
  'token',
  'adminToken',
  'publishToken',
  'ticket',
  'authorization',
  'password',
  'secretKey',
  'curveSecretKey',
  'zookeeperAuth',
];
const SECRET_FIELDS = SECRET_NAMES.flatMap((name) => [name, `*.${name}`]);

/** Lines that nobody takes (a full disk, a reader that stands still) wait up to here; further ones are lost. */
const MAX_WAITING_BYTES = 1 << 20;

/**
 * A log of the daemon `name`. Writes do not block the event loop; the last lines are flushed at exit. A log that
 * cannot be written ends nothing: its lines wait and are tried again with the next one, and how many were lost is
 * said as soon as there is room.
 */
export function createLog(name: string, level: LogLevel, fields: LogFields = {}): Log {
  const lines = destination({ dest: 2, sync: false, maxLength: MAX_WAITING_BYTES });
  const logger = pino(
    {
      level,
      base: { daemon: name, ...fields },
      timestamp: stdTimeFunctions.isoTime,
      messageKey: 'event',
      redact: { paths: SECRET_FIELDS, censor: '[hidden]' },
      formatters: { level: (label) => ({ level: label }) },
    },
    lines,
  );
  let lost = 0;
  let failing = false;
  lines.on('error', () => (failing = true));
  lines.on('drop', () => (lost += 1));
  lines.on('drain', () => {
    failing = false;
    if (lost === 0) return;
    const count = lost;
    lost = 0;
    logger.warn({ lines: count }, 'log-lines-lost');
  });
  // The library would try for ever to get rid of the last lines, and the process could not end.
  const flush = lines.flushSync.bind(lines);
  lines.flushSync = () => {
    if (!failing) flush();
  };
  return {
    debug: (event, more) => logger.debug(more ?? {}, event),
    info: (event, more) => logger.info(more ?? {}, event),
    warn: (event, more) => logger.warn(more ?? {}, event),
    error: (event, more) => logger.error(more ?? {}, event),
  };
}

export const silentLog: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** An error as fields: its message and code, without the stack unless it is a defect of ours. */
export function errorFields(error: unknown): LogFields {
  if (!(error instanceof Error)) return { error: String(error) };
  const code = (error as NodeJS.ErrnoException).code;
  return { error: error.message, ...(code !== undefined && { code }) };
}
