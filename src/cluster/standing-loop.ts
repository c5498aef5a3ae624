// The loop under a standing ephemeral and a lease: look and act until nothing is left to do, again whenever
// the store returns or something changed, one step at a time.

import type { Log } from '../daemon/log.ts';
import type { Failure } from './pause.ts';
import { pausesOf, soonMs } from './pause.ts';
import type { Session } from './session.ts';

/** `now`: look again at once; `later`, or what failed: after a pause; `settled`: only after a change. */
export type Next = 'now' | 'later' | 'settled' | Failure;

export interface StandingLoop {
  /** Something changed: look again. */
  poke(): void;
  /** No step begins after this; resolves when the one under way is over. */
  stop(): Promise<void>;
}

/** Others that fight for the same node would make an endless loop of `now`; after these looks it pauses. */
const MAX_LOOKS = 10;

/** `step` must arm `onChange` before it settles. That the store refuses `path` is logged once. */
export function standingLoop(
  session: Session,
  path: string,
  log: Log,
  step: (onChange: () => void) => Promise<Next>,
): StandingLoop {
  let stopped = false;
  let poked = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  const pauses = pausesOf(path, log);

  const run = async (): Promise<Next> => {
    poked = false;
    let next: Next = 'now';
    for (let looks = 0; next === 'now' && !stopped && session.state() === 'up'; looks++) {
      poked = false;
      next = looks < MAX_LOOKS ? await step(poke) : 'later';
      // A step may be poked while it runs.
      if ((poked as boolean) && next === 'settled') next = 'now';
    }
    return next;
  };
  const poke = (): void => {
    clearTimeout(timer);
    poked = true;
    if (stopped || running) return;
    running = run().then((next) => {
      running = undefined;
      if (stopped) return;
      if (next === 'settled') pauses.succeeded();
      const againMs = typeof next === 'string' ? soonMs() : pauses.after(next);
      if (poked) poke();
      else if (next !== 'settled' && next !== 'now') timer = setTimeout(poke, againMs).unref();
    });
  };

  const stopListening = session.onState((state) => {
    if (state === 'up') poke();
  });
  queueMicrotask(poke);
  return {
    poke,
    async stop() {
      stopped = true;
      clearTimeout(timer);
      stopListening();
      await running;
    },
  };
}

/** Deletes `path` if this session owns it. */
export async function removeIfOurs(session: Session, path: string): Promise<void> {
  const found = await session.read(path);
  if (found.ok && found.value.owner === session.sessionId()) await session.remove(path, found.value.version);
}
