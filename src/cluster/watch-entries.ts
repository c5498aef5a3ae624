// Watches a folder and every entry in it: one watch on the list of names, one on each entry.

import type { Coordination, Entry, Stop } from './coordination.ts';

export interface EntriesListener {
  /** The entry is new or changed (or comes again after a reconnect); `undefined` = it is gone. */
  onEntry(name: string, entry: Entry | undefined): void;
  /** After each listing, before new entries are read. */
  onNames?(names: readonly string[]): void;
  /** False: the entry is listed but not read. */
  wanted?(name: string): boolean;
}

/** Above `maxEntries` further names are not watched; `onNames` still tells all of them. */
export function watchEntries(
  coordination: Coordination,
  folder: string,
  listener: EntriesListener,
  maxEntries = 100_000,
): Stop {
  const watched = new Map<string, Stop>();
  const present = new Set<string>();

  const tell = (name: string, entry: Entry | undefined): void => {
    if (entry) present.add(name);
    else if (!present.delete(name)) return;
    listener.onEntry(name, entry);
  };
  const stopList = coordination.watchList(folder, (names) => {
    listener.onNames?.(names);
    const wanted = new Set(names.filter((name) => listener.wanted?.(name) ?? true).slice(0, maxEntries));
    for (const [name, stop] of watched) {
      if (wanted.has(name)) continue;
      stop();
      watched.delete(name);
      tell(name, undefined);
    }
    for (const name of wanted) {
      if (watched.has(name)) continue;
      watched.set(
        name,
        coordination.watch(`${folder}/${name}`, (entry) => tell(name, entry)),
      );
    }
  });
  return () => {
    stopList();
    for (const stop of watched.values()) stop();
    watched.clear();
  };
}
