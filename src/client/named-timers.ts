// (6) The timers of a client, by their names: a new one replaces the one of its name.

import type { Timers } from './connect-options.ts';
import type { TimerName } from './core/effects.ts';

/** Sets a timer; without a time it ends it. */
export type SetTimer = (name: TimerName, afterMs: number | undefined) => void;

export function createNamedTimers(timers: Timers, fired: (name: TimerName) => void): SetTimer {
  const running = new Map<TimerName, unknown>();
  return (name, afterMs) => {
    timers.clearTimeout(running.get(name));
    running.delete(name);
    if (afterMs === undefined) return;
    const fire = (): void => {
      running.delete(name);
      fired(name);
    };
    running.set(name, timers.setTimeout(fire, afterMs));
  };
}
