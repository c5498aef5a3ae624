// The table's way through the store: writes this Herald's parts, at most once a second and only on change,
// and hands the balancer what other Heralds wrote. While the store is away nothing is written and nothing
// waits; its return brings one full write.

import type { Coordination, Entry, Outcome, Stop, Trouble } from '../../cluster/coordination.ts';
import type { ClusterPaths } from '../../cluster/paths.ts';
import { parsePartName } from '../../cluster/paths.ts';
import { watchEntries } from '../../cluster/watch-entries.ts';
import type { Clock } from '../../daemon/clock.ts';
import type { Log } from '../../daemon/log.ts';
import type { TableRow } from '../../protocol/table-row.ts';
import type { Balancer } from '../core/balancer-types.ts';
import { createHomeRows } from './home-rows.ts';
import { OrphanRemoval } from './orphan-removal.ts';
import type { WriteOutcome } from './part-writer.ts';
import { PartWriter } from './part-writer.ts';
import { StoreClock } from './store-clock.ts';
import type { OwnWrite } from './store-time.ts';
import { createTableCopies } from './table-copies.ts';

export interface TableExchangeOptions {
  coordination: Coordination;
  balancer: Balancer;
  paths: ClusterPaths;
  heraldId: string;
  /** Of this start of the Herald. */
  bootId: string;
  clock: Clock;
  log: Log;
  /** Ids of the live Heralds. */
  heralds: () => readonly string[];
  /** False while another process holds this Herald's name: then it must not write. */
  mayWrite: () => boolean;
  onWrite: (outcome: WriteOutcome) => void;
  /** The first writing need not wait for the next round: what was stored before has been read. */
  onReadable: () => void;
}

export interface TableExchange {
  /** One round of writing; rounds must not overlap. False when a part was sent and its answer did not come. */
  writeRound(rows: readonly TableRow[]): Promise<boolean>;
  deleteOrphans(): void;
  /** To be called when the store comes and goes. */
  storeUp(): void;
  storeAway(): void;
  /** See StoreClock. */
  ownWrite(): OwnWrite | undefined;
  partCount(): number;
  /** Why the store, though it answers, does not let this Herald share: a missing right, a quota. */
  refusal(): Trouble | undefined;
  /** How long the store has left all writes without an answer; 0 after each answer. */
  unansweredMs(): number;
  stop(): void;
}

const NO_ANSWER: readonly Trouble[] = ['away', 'busy', 'closed', 'lost'];

export function createTableExchange(options: TableExchangeOptions): TableExchange {
  const { coordination, balancer, paths, heraldId, bootId, clock, log, onWrite } = options;
  const copies = createTableCopies((gateway) => balancer.newest(gateway));
  const homeRows = createHomeRows();
  const orphans = new OrphanRemoval(coordination, paths, log);
  const refused = new Set<string>();
  let stopWatching: Stop | undefined;
  let started = false;
  let stopped = false;
  /** Own parts of an earlier run are read before anything is written over them. */
  let ownPartsRead = false;
  let refusal: Trouble | undefined;
  let unansweredSinceMs: number | undefined;

  const judge = (answer: Outcome<unknown>): void => {
    // Silence is not a refusal, and a part that is not there yet is none either.
    if (!answer.ok && (answer.why === 'no-node' || NO_ANSWER.includes(answer.why))) return;
    const next = answer.ok ? undefined : answer.why;
    if (next !== undefined && next !== refusal) log.error('table-not-shared', { why: next });
    refusal = next;
  };
  const judgeWrite = (answer: Outcome<unknown>): void => {
    if (!answer.ok && answer.why === 'lost') unansweredSinceMs ??= clock.nowMs();
    else if (answer.ok || !NO_ANSWER.includes(answer.why)) unansweredSinceMs = undefined;
    judge(answer);
  };
  const storeClock = new StoreClock(async () => {
    const answer = await coordination.put(paths.clock, heraldId);
    judgeWrite(answer);
    return answer;
  }, clock);
  const writer = new PartWriter({
    coordination,
    paths,
    heraldId,
    bootId,
    clock,
    storeClock,
    onAnswer: judgeWrite,
    onWrite,
  });

  const take = async (name: string, entry: Entry): Promise<void> => {
    // A stamp by another leader's clock than our last write's cannot be compared until we write again.
    if (storeClock.ownWrite?.clockEpoch !== entry.clockEpoch) await storeClock.ask();
    const nowMs = clock.nowMs();
    const taken = copies.take(name, entry, storeClock.ownWrite, nowMs);
    if (!taken) return;
    if (!taken.ok) {
      if (!refused.has(name)) log.warn('table-part-refused', { part: name, ...taken.refusal });
      refused.add(name);
      return;
    }
    refused.delete(name);
    if (taken.value.length > 0) balancer.mergeRows(taken.value, nowMs);
  };

  const isOwn = (name: string): boolean => parsePartName(name)?.heraldId === heraldId;
  const readOwnParts = async (): Promise<void> => {
    const names = await coordination.list(paths.table);
    judge(names);
    for (const name of names.ok ? names.value.filter(isOwn) : []) {
      writer.found(parsePartName(name)?.index ?? 0);
      const entry = await coordination.get(`${paths.table}/${name}`);
      if (entry.ok) await take(name, entry.value);
      copies.forget(name);
    }
    ownPartsRead = names.ok || names.why === 'no-node';
  };
  const start = async (): Promise<void> => {
    started = true;
    await storeClock.ask();
    if (stopped) return;
    // One for all tries: it stands until the end, and tells once that the store refuses it.
    stopWatching ??= watchEntries(coordination, paths.table, {
      // What we wrote ourselves we know.
      wanted: (name) => !isOwn(name),
      onEntry(name, entry) {
        if (entry) void take(name, entry);
        else {
          copies.forget(name);
          orphans.forget(name);
        }
      },
    });
    await readOwnParts();
    // The store went away in between, or refused: again on its return or at the next round.
    if (ownPartsRead) options.onReadable();
    else started = false;
  };

  return {
    async writeRound(all) {
      if (coordination.state() !== 'up' || !ownPartsRead || !options.mayWrite()) {
        if (coordination.state() === 'up' && !started && !stopped) void start();
        onWrite('skipped');
        return true;
      }
      return writer.write(
        homeRows.choose({
          rows: all,
          heraldId,
          heralds: options.heralds(),
          copyOf: copies.copyOf,
          heard: copies.heard,
          nowMs: clock.nowMs(),
        }),
      );
    },
    deleteOrphans() {
      if (coordination.state() !== 'up') return;
      orphans.remove(copies.parts(), heraldId, options.heralds(), clock.nowMs());
    },
    storeUp() {
      writer.forget();
      orphans.restart();
      if (!started) void start();
    },
    storeAway: () => copies.unwatched(),
    ownWrite: () => storeClock.ownWrite,
    partCount: () => copies.parts().length,
    refusal: () => refusal,
    unansweredMs: () => clock.nowMs() - (unansweredSinceMs ?? clock.nowMs()),
    stop() {
      stopped = true;
      stopWatching?.();
    },
  };
}
