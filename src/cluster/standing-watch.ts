// A watch that outlives connections and sessions: read with a one-shot watch, deliver, read again after each
// change and after each return of the store. Re-reading instead of replaying watches (SetWatches) is what
// keeps any number of them within the server's packet limit.

import type { Log } from '../daemon/log.ts';
import type { Outcome, Stop } from './coordination.ts';
import { pausesOf } from './pause.ts';
import type { Session } from './session.ts';

export interface Watched<T> {
  path: string;
  /** Must arm `onChange`. */
  read: (onChange: () => void) => Promise<Outcome<T>>;
  /** Gets each value read; `undefined` for a missing node. */
  deliver: (value: T | undefined) => void;
}

/**
 * Failed reads are tried again after a jittered pause for as long as the store is up; that it refuses `path` is logged
 * once.
 */
export function standWatch<T>(session: Session, log: Log, { path, read, deliver }: Watched<T>): Stop {
  let stopped = false;
  let reading = false;
  let changedMeanwhile = false;
  let timer: NodeJS.Timeout | undefined;
  const pauses = pausesOf(path, log);

  const refresh = async (): Promise<void> => {
    clearTimeout(timer);
    if (stopped || session.state() !== 'up') return;
    if (reading) {
      changedMeanwhile = true;
      return;
    }
    reading = true;
    changedMeanwhile = false;
    const outcome = await read(onChange);
    reading = false;
    // `stop` may have been called while the read was under way.
    if (stopped as boolean) return;
    if (outcome.ok || outcome.why === 'no-node') {
      pauses.succeeded();
      deliver(outcome.ok ? outcome.value : undefined);
    } else timer = setTimeout(() => void refresh(), pauses.after(outcome)).unref();
    if (changedMeanwhile as boolean) await refresh();
  };

  const onChange = (): void => void refresh();

  const stopListening = session.onState((state) => {
    if (state === 'up') void refresh();
  });
  queueMicrotask(() => void refresh());
  return () => {
    stopped = true;
    clearTimeout(timer);
    stopListening();
  };
}
