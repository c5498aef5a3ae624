// Deletes the parts of the table that nobody owns any more.

import type { Coordination } from '../../cluster/coordination.ts';
import type { ClusterPaths } from '../../cluster/paths.ts';
import type { Log } from '../../daemon/log.ts';
import type { StoredPart } from './orphan-parts.ts';
import { createOrphanWatch } from './orphan-parts.ts';

export class OrphanRemoval {
  readonly #coordination: Coordination;
  readonly #paths: ClusterPaths;
  readonly #log: Log;
  readonly #watch = createOrphanWatch();
  /** Those that could not be deleted, in the version that was tried. */
  readonly #kept = new Map<string, number>();

  constructor(coordination: Coordination, paths: ClusterPaths, log: Log) {
    this.#coordination = coordination;
    this.#paths = paths;
    this.#log = log;
  }

  /** To be called each second while the store is up. `heralds`: the live ones. */
  remove(parts: readonly StoredPart[], heraldId: string, heralds: readonly string[], nowMs: number): void {
    for (const part of this.#watch.find(parts, heraldId, heralds, nowMs)) void this.#remove(part);
  }

  /** The view was broken: every absence starts to count anew. */
  restart(): void {
    this.#watch.restart();
  }

  /** The part is not there any more. */
  forget(name: string): void {
    this.#kept.delete(name);
  }

  async #remove({ name, version }: StoredPart): Promise<void> {
    // Its version is the proof that its Herald has not come back to it.
    const removed = await this.#coordination.remove(`${this.#paths.table}/${name}`, version);
    if (removed.ok) {
      this.#log.info('table-part-orphaned', { part: name });
      this.#kept.delete(name);
      return;
    }
    // It is tried again each second; a right that is missing is told once.
    if (this.#kept.get(name) !== version) this.#log.warn('table-part-kept', { part: name, why: removed.why });
    this.#kept.set(name, version);
  }
}
