// (6) The connection in use and the one that shall replace it. The new one takes over when its topics are in force and
// what was published on the old one is answered. It may wait for what the old one still delivers, but not for long.

import type { Out } from './effects.ts';
import type { Session } from './session-port.ts';

/** How long the old connection is kept for what the new one could not resume. */
const HANDOVER_MS = 5_000;

export interface ConnectionPair {
  /** The one in use. */
  current(): Session | undefined;
  /** The one that shall replace it. */
  next(): Session | undefined;
  all(): Session[];
  find(link: number): Session | undefined;
  /** `session` shall replace the one in use, or be the first. */
  prepare(session: Session): void;
  /** The next one was welcomed: from now on the old one's time is limited. */
  welcomed(): void;
  /** Whether the one in use still delivers while `session` resumes. */
  precedes(session: Session): boolean;
  /** The next one takes over if it can. */
  takeOver(): void;
  /** The old one is waited for no longer. */
  hasten(): void;
  /** It is lost; says which it was, undefined where it was neither. */
  remove(session: Session): 'current' | 'next' | undefined;
  /** Closes both from this side. */
  close(reason: string): void;
}

/** `takenOver` is called once the new one is the one in use. The old one, where there is one, is still open then. */
export function createConnectionPair(
  out: Out,
  takenOver: (session: Session, old: Session | undefined) => void,
): ConnectionPair {
  let current: Session | undefined;
  let next: Session | undefined;
  /** The next one may still wait for the one in use. */
  let patient = true;

  const setTimer = (afterMs: number | undefined): void => out({ do: 'timer', name: 'handover', afterMs });
  const all = (): Session[] => [current, next].filter((session) => session !== undefined);

  const takeOver = (): void => {
    if (next?.phase() !== 'live' || (patient && current?.isPublishing())) return;
    const [session, old] = [next, current];
    current = session;
    next = undefined;
    setTimer(undefined);
    takenOver(session, old);
  };

  return {
    current: () => current,
    next: () => next,
    all,
    find: (link) => all().find((session) => session.link === link),
    prepare(session) {
      next = session;
      patient = true;
    },
    welcomed() {
      if (current) setTimer(HANDOVER_MS);
    },
    precedes: (session) => patient && current?.phase() === 'live' && current !== session,
    takeOver,
    hasten() {
      patient = false;
      next?.release();
      takeOver();
    },
    remove(session) {
      if (session === next) {
        next = undefined;
        setTimer(undefined);
        return 'next';
      }
      if (session !== current) return undefined;
      current = undefined;
      return 'current';
    },
    close(reason) {
      setTimer(undefined);
      for (const session of all()) session.close(1000, reason);
      current = undefined;
      next = undefined;
    },
  };
}
