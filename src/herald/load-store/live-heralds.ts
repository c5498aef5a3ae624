// The Heralds of a cluster that are alive, this one included, as their entries come and go.

import type { Coordination } from '../../cluster/coordination.ts';
import type { ClusterPaths } from '../../cluster/paths.ts';
import { watchEntries } from '../../cluster/watch-entries.ts';
import type { Log } from '../../daemon/log.ts';
import type { HeraldAddress } from './herald-address.ts';
import { decodeHeraldAddress } from './herald-address.ts';

export interface LiveHeralds {
  ids(): string[];
  stop(): void;
}

export interface HeraldsWatch {
  coordination: Coordination;
  paths: ClusterPaths;
  own: HeraldAddress;
  /** Gets them sorted by id, soon and after each change; entries that do not decode are left out and logged. */
  onHeralds: (heralds: readonly HeraldAddress[]) => void;
  log: Log;
}

export function watchHeralds({ coordination, paths, own, onHeralds, log }: HeraldsWatch): LiveHeralds {
  const heralds = new Map<string, HeraldAddress>([[own.id, own]]);
  let stopped = false;
  const tell = (): void => {
    if (!stopped) onHeralds([...heralds.values()].sort((a, b) => (a.id < b.id ? -1 : 1)));
  };
  const stopWatching = watchEntries(coordination, paths.heralds, {
    onEntry(id, entry) {
      // One's own address is known better here, and it stands also while the entry does not.
      if (id === own.id) return;
      const decoded = entry && decodeHeraldAddress(entry.data);
      if (decoded && !decoded.ok) log.warn('herald-entry-refused', { herald: id, ...decoded.refusal });
      if (decoded?.ok && decoded.value.id === id) heralds.set(id, decoded.value);
      else if (!heralds.delete(id)) return;
      tell();
    },
  });
  queueMicrotask(tell);
  return {
    ids: () => [...heralds.keys()],
    stop() {
      stopped = true;
      stopWatching();
    },
  };
}
