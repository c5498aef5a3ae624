// Structured events on stderr, one JSON object a line. An event has a stable name and fields; it is logged
// once per change of state, never per message. Secrets are never fields; what looks like one is blanked.

import { pino, stdTimeFunctions } from 'pino';
import { LogSink, openStderr } from './log-sink.ts';
import { codeOf, messageOf } from './thrown.ts';

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

/** A log of the daemon `name`. Writes do not block the event loop; the last lines are flushed at exit. */
export function createLog(name: string, level: LogLevel, fields: LogFields = {}): Log {
  const sink = new LogSink(openStderr(), (lines) => logger.warn({ lines }, 'log-lines-lost'));
  process.once('exit', () => sink.flush());
  const logger = pino(
    {
      level,
      base: { daemon: name, ...fields },
      timestamp: stdTimeFunctions.isoTime,
      messageKey: 'event',
      redact: { paths: SECRET_FIELDS, censor: '[hidden]' },
      formatters: { level: (label) => ({ level: label }) },
    },
    sink,
  );
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
  const code = codeOf(error);
  return { error: messageOf(error), ...(code !== undefined && { code }) };
}
