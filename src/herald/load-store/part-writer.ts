// Writes the parts of this Herald's table: one after the other, and only those that say something new.

import type { Coordination, Outcome } from '../../cluster/coordination.ts';
import type { ClusterPaths } from '../../cluster/paths.ts';
import type { Clock } from '../../daemon/clock.ts';
import { nextTurn } from '../../daemon/clock.ts';
import type { TableRow } from '../../protocol/table-row.ts';
import { encodeTablePart, TABLE_LIMITS } from '../../protocol/table-row.ts';
import { fittingRowsPerPart, sameReports, splitParts } from './part-split.ts';
import type { StoreClock } from './store-clock.ts';

export type WriteOutcome = 'written' | 'unchanged' | 'skipped' | 'failed';

export interface PartWriterParts {
  coordination: Coordination;
  paths: ClusterPaths;
  heraldId: string;
  /** Of this start of the Herald. */
  bootId: string;
  clock: Clock;
  storeClock: StoreClock;
  onAnswer: (answer: Outcome<unknown>) => void;
  onWrite: (outcome: WriteOutcome) => void;
}

export class PartWriter {
  readonly #parts: PartWriterParts;
  #rowsPerPart: number = TABLE_LIMITS.maxRowsPerPart;
  /** Rows of each part as last written, undefined where that is not known. */
  #written: (readonly TableRow[] | undefined)[] = [];
  /** Parts of an earlier run may lie beyond the present ones. */
  #storedParts = 0;
  #failed = false;

  constructor(parts: PartWriterParts) {
    this.#parts = parts;
  }

  /** A part of an earlier run lies in the store. */
  found(index: number): void {
    this.#storedParts = Math.max(this.#storedParts, index + 1);
  }

  /** What the store has now is not known: the next round writes all. */
  forget(): void {
    this.#written = [];
  }

  /** Rounds must not overlap. False when a part was sent and its answer did not come. */
  async write(rows: readonly TableRow[]): Promise<boolean> {
    const { coordination, paths, heraldId } = this.#parts;
    this.#failed = false;
    let parts = splitParts(rows, this.#rowsPerPart);
    // One after the other: a Herald never has more than one large write under way.
    for (let index = 0; index < parts.length; index++) {
      await nextTurn();
      if (await this.#writePart(index, parts[index]!)) continue;
      parts = splitParts(rows, this.#rowsPerPart);
      index = -1;
    }
    this.#written.length = Math.min(this.#written.length, parts.length);
    while (this.#storedParts > parts.length) {
      const removed = await coordination.remove(paths.part(heraldId, this.#storedParts - 1));
      if (!removed.ok && removed.why !== 'no-node') break;
      this.#storedParts -= 1;
    }
    return !this.#failed;
  }

  /** False when the part is too large for what it holds: then it must be cut anew. */
  async #writePart(index: number, rows: readonly TableRow[]): Promise<boolean> {
    const { coordination, paths, heraldId, bootId, clock, storeClock, onAnswer, onWrite } = this.#parts;
    const before = this.#written[index];
    if (before && sameReports(before, rows)) {
      onWrite('unchanged');
      return true;
    }
    const text = encodeTablePart({ v: 1, heraldId, bootId, rows });
    const fitting = fittingRowsPerPart(this.#rowsPerPart, rows.length, Buffer.byteLength(text));
    if (fitting < this.#rowsPerPart && rows.length > 1) {
      this.#rowsPerPart = fitting;
      return false;
    }
    const sentAtMs = clock.nowMs();
    const answer = await coordination.put(paths.part(heraldId, index), text);
    onAnswer(answer);
    if (answer.ok) {
      storeClock.written(answer.value, sentAtMs);
      this.#written[index] = rows;
      this.found(index);
    } else {
      this.#written[index] = undefined;
      // Who was refused need not ask again at once.
      this.#failed ||= answer.why === 'lost' || answer.why === 'busy';
    }
    onWrite(answer.ok ? 'written' : answer.why === 'away' ? 'skipped' : 'failed');
    return true;
  }
}
