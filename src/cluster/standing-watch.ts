// A watch that outlives connections and sessions: read with a one-shot watch, deliver, read again after each
// change and after each return of the store. Re-reading instead of replaying watches (SetWatches) is what
// keeps any number of them within the server's packet limit.

import type { Outcome, Stop } from './coordination.ts';
import { pauseMs } from './pause.ts';
import type { Session } from './session.ts';

/**
 * `read` must arm `onChange`. `deliver` gets each value read; `undefined` for a missing node. Failed reads
 * are tried again after a short, jittered pause for as long as the store is up.
 */
export function standWatch<T>(
  session: Session,
  read: (onChange: () => void) => Promise<Outcome<T>>,
  deliver: (value: T | undefined) => void,
): Stop {
  let stopped = false;
  let reading = false;
  let changedMeanwhile = false;
  let timer: NodeJS.Timeout | undefined;

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
    if (outcome.ok) deliver(outcome.value);
    else if (outcome.why === 'no-node') deliver(undefined);
    else timer = setTimeout(() => void refresh(), pauseMs()).unref();
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
