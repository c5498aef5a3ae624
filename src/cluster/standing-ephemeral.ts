// An ephemeral entry kept alive for as long as its process wants it: through reconnects, new sessions and
// deletion by others. A node left by our own earlier session or by an earlier process with our id is taken
// over by comparing its owner; a second live process with our id is not fought: the newer one wins.

import type { Log } from '../daemon/log.ts';
import type { Ephemeral, Trouble } from './coordination.ts';
import { isRefusal } from './pause.ts';
import type { Session } from './session.ts';
import type { Next } from './standing-loop.ts';
import { removeIfOurs, standingLoop } from './standing-loop.ts';

export function standEphemeral(session: Session, path: string, initialData: string, log: Log): Ephemeral {
  let data = initialData;
  let state: 'absent' | 'held' | 'contended' = 'absent';
  let released = false;
  let everHeld = false;
  let refusal: Trouble | undefined;

  const enter = (next: typeof state): void => {
    if (next === 'contended' && state !== next) log.warn('ephemeral-contended', { path });
    if (next === 'held' && state === 'contended') log.info('ephemeral-regained', { path });
    if (next === 'held') everHeld = true;
    state = next;
  };

  const step = async (onChange: () => void): Promise<Next> => {
    const found = await session.read(path, onChange);
    if (!found.ok) {
      if (found.why !== 'no-node') return found;
      if (state === 'held') {
        // Somebody deleted it. If that is a newer process with our id, it needs a moment to take the place.
        enter('absent');
        return 'later';
      }
      const created = await session.create(path, data, true);
      return created.ok || created.why === 'exists' ? 'now' : created;
    }
    const { owner, version } = found.value;
    if (owner === session.sessionId()) {
      enter('held');
      if (found.value.data === data) return 'settled';
      const written = await session.write(path, data, version);
      return written.ok ? 'now' : written;
    }
    // Ours from before, or a dead predecessor's that the server has not buried yet: take its place. After
    // we have held it, a stranger is a second live process with our id, and a newer one.
    if (session.wasOurs(owner) || !everHeld) {
      const removed = await session.remove(path, version);
      return removed.ok || removed.why === 'no-node' || removed.why === 'version' ? 'now' : removed;
    }
    enter('contended');
    return 'settled';
  };

  const stopListening = session.onState((next) => {
    if (next !== 'up' && state === 'held') state = 'absent';
  });
  const loop = standingLoop(session, path, log, async (onChange) => {
    const next = await step(onChange);
    refusal = typeof next !== 'string' && isRefusal(next.why) ? next.why : undefined;
    return next;
  });

  return {
    state: () => state,
    refusal: () => refusal,
    update(next) {
      data = next;
      loop.poke();
    },
    async release() {
      if (released) return;
      released = true;
      stopListening();
      await loop.stop();
      state = 'absent';
      await removeIfOurs(session, path);
    },
  };
}
