// Makes the port that others use out of a store's session: checks paths and data before the store sees
// them, and adds the standing watches, ephemerals and leases.

import type { Log } from '../daemon/log.ts';
import type { Coordination, Entry, Outcome } from './coordination.ts';
import { fencedLease } from './fenced-lease.ts';
import type { Session } from './session.ts';
import { checkData, checkPath } from './session.ts';
import { standEphemeral } from './standing-ephemeral.ts';
import { standWatch } from './standing-watch.ts';

export function coordinate(session: Session, log: Log): Coordination {
  const checked = async <T>(path: string, act: () => Promise<Outcome<T>>): Promise<Outcome<T>> => {
    const good = checkPath(path);
    return good.ok ? act() : good;
  };
  const checkedWrite = <T>(path: string, data: string, act: () => Promise<Outcome<T>>) =>
    checked(path, async () => {
      const good = checkData(data);
      return good.ok ? act() : good;
    });

  return {
    state: () => session.state(),
    onState: (listener) => session.onState(listener),
    snapshot: () => session.snapshot(),
    get: (path) => checked(path, () => session.read(path)),
    put: (path, data, version) =>
      checkedWrite(path, data, async () => {
        const written = await session.write(path, data, version ?? -1);
        if (written.ok || written.why !== 'no-node' || version !== undefined) return written;
        const created = await session.create(path, data, false);
        if (!created.ok && created.why !== 'exists') return created;
        // Creation tells no stamp, and whoever was faster is replaced: last writer wins, as for any put.
        const found: Outcome<Entry> = await session.read(path);
        if (found.ok && found.value.data === data) return found;
        return session.write(path, data, -1);
      }),
    create: (path, data) => checkedWrite(path, data, () => session.create(path, data, false)),
    remove: (path, version) => checked(path, () => session.remove(path, version ?? -1)),
    list: (path) => checked(path, () => session.names(path)),
    watch: (path, listener) =>
      standWatch(session, log, {
        path,
        read: (onChange) => checked(path, () => session.read(path, onChange)),
        deliver: listener,
      }),
    watchList: (path, listener) =>
      standWatch(session, log, {
        path,
        read: (onChange) => checked(path, () => session.names(path, onChange)),
        deliver: (names) => listener(names ?? []),
      }),
    ephemeral: (path, data) => standEphemeral(session, path, data, log),
    lease: (path, data) => fencedLease(session, path, data, log),
    close: () => session.close(),
  };
}
