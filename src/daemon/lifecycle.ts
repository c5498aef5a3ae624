// How every daemon lives and ends: signals, a deadline on closing, and the rule that a broken promise of
// our own code ends the process instead of leaving it half alive.

import type { Log } from './log.ts';
import { errorFields } from './log.ts';
import { portOwner } from './port-owner.ts';
import { codeOf } from './thrown.ts';

export interface Running {
  /** Stops taking work, finishes what was promised, frees ports and files. */
  close(): Promise<void>;
  /** How long `close` may take; by default CLOSE_DEADLINE_MS. */
  closeDeadlineMs?: number;
}

export const CLOSE_DEADLINE_MS = 4_000;
const HOLD_MS = 3_600_000;
/** Exit code of a process that was told twice to end. */
export const HURRIED = 130;

/**
 * `stop` hears that the process is to end: by SIGINT, SIGTERM or SIGHUP, or, where it was forked, by its parent, which is
 * gone or lets it go, so that nothing outlives a killed `herald up`. It may hear so several times. `hurry` hears the
 * same again, which is impatience. Ctrl-C on a terminal reaches a daemon twice, as the terminal's SIGINT and as its
 * parent's SIGTERM, and systemd's SIGTERM reaches parent and child: each of these is one wish.
 */
export function hearStop(stop: (cause: string) => void, hurry: () => void): void {
  const heard = new Set<string>();
  const hear = (cause: string): void => {
    if (heard.has(cause)) hurry();
    else {
      heard.add(cause);
      stop(cause);
    }
  };
  process.on('SIGINT', () => hear('SIGINT'));
  process.on('SIGTERM', () => hear('SIGTERM'));
  // A terminal that closes says it twice, by itself and by its shell: that is no hurry.
  process.on('SIGHUP', () => {
    if (!heard.has('SIGHUP')) hear('SIGHUP');
  });
  if (process.send) {
    process.on('disconnect', () => hear('parent'));
    // The parent may have gone while our files were loaded, before anybody listened.
    if (!process.connected) hear('parent');
  }
}

/** Starts a daemon and ends the process with it, at once when it is told to end twice or has not closed by its deadline. */
export async function runUntilSignalled(start: () => Promise<Running>, log: Log): Promise<void> {
  process.on('uncaughtException', (error) => fatal(log, 'uncaught-exception', error));
  process.on('unhandledRejection', (error) => fatal(log, 'unhandled-rejection', error));

  // Signals are heard before the start is over: a Ctrl-C during a slow start must not wait for it.
  const stopped = new Promise<string>((resolve) => hearStop(resolve, () => process.exit(HURRIED)));

  // What a daemon has open may hold no process: a bridge has timers alone until a Herald names it brokers.
  const hold = setInterval(() => {}, HOLD_MS);
  let running: Running;
  let cause: string;
  try {
    running = await start();
    cause = await stopped;
  } finally {
    clearInterval(hold);
  }
  log.info('stopping', { cause });
  const deadlineMs = running.closeDeadlineMs ?? CLOSE_DEADLINE_MS;
  const overdue = setTimeout(() => {
    log.error('close-overdue', { deadlineMs });
    process.exit(1);
  }, deadlineMs);
  await running.close();
  clearTimeout(overdue);
  log.info('stopped', { cause });
  process.exitCode = 0;
  // Whatever handle a library still holds must not keep a closed daemon alive; stderr gets a turn to drain.
  setTimeout(endProcess, 50);
}

/**
 * `process.exit` waits for the threads of Node's pool, and a thread that asks a silent resolver returns only after ten
 * seconds or more. A signal does not wait, and systemd counts an end by SIGTERM as a clean one.
 */
function endProcess(): void {
  if (process.getActiveResourcesInfo().includes('GetAddrInfoReqWrap')) {
    process.removeAllListeners('SIGTERM');
    process.kill(process.pid, 'SIGTERM');
  } else process.exit(0);
}

function fatal(log: Log, event: string, error: unknown): void {
  log.error(event, { ...errorFields(error), ...(error instanceof Error && { stack: error.stack }) });
  setTimeout(() => process.exit(70), 50);
}

/** EX_TEMPFAIL of sysexits.h: an address may be free, or there, in a second. The units in deploy/ try again then. */
const TRY_AGAIN = 75;

/**
 * An error a user can act on: a line for each problem, no stack. The CLI prints its message and exits with its code.
 * A line feed in a problem, of a value that was given, is shown and not obeyed.
 */
export class StartError extends Error {
  override readonly name = 'StartError';
  readonly exitCode: number;

  constructor(problems: string | readonly string[], exitCode = 1) {
    super([problems].flat().map(inOneLine).join('\n'));
    this.exitCode = exitCode;
  }
}

export function inOneLine(text: string): string {
  return text.replaceAll('\n', '\\n').replaceAll('\r', '\\r');
}

/** Not allowed, not an address of this machine, not a name that resolves. */
const UNUSABLE = ['EACCES', 'EADDRNOTAVAIL', 'ENODEV', 'ENOTFOUND', 'EAI_AGAIN'];

/**
 * Awaits a listen and turns EADDRINUSE and its kin into one line with the address, the owner of the port
 * where the system tells it, and the flag that changes it.
 */
export async function listening<T>(listen: Promise<T>, address: string, flag: string): Promise<T> {
  try {
    return await listen;
  } catch (error) {
    const code = codeOf(error) ?? '';
    if (code === 'EADDRINUSE') {
      const owner = portOwner(Number(address.slice(address.lastIndexOf(':') + 1)));
      const by = owner ? ` by ${owner}` : '';
      throw new StartError(`${address} is in use${by}; choose another with ${flag}`, TRY_AGAIN);
    }
    if (UNUSABLE.includes(code)) {
      throw new StartError(`cannot listen on ${address} (${code}); choose another with ${flag}`, TRY_AGAIN);
    }
    throw error;
  }
}
