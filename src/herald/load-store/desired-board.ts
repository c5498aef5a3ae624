// What operators want of gateways, shared: every Herald watches all entries and tells its balancer. A wish
// made while the store is away holds here and is written on its return, unless somebody else was heard there
// in the meantime. Only the newest wish of a gateway is kept, so nothing queues.

import type { Coordination, Entry } from '../../cluster/coordination.ts';
import type { ClusterPaths } from '../../cluster/paths.ts';
import { watchEntries } from '../../cluster/watch-entries.ts';
import type { Clock } from '../../daemon/clock.ts';
import type { Log } from '../../daemon/log.ts';
import { ID_PATTERN } from '../../protocol/names.ts';
import type { Balancer, Desired } from '../core/balancer-types.ts';
import type { KeptDesired } from './desired-entry.ts';
import { decodeDesired, encodeDesired, lapsed, sameDesired } from './desired-entry.ts';
import type { OwnWrite } from './store-time.ts';
import { ageMs } from './store-time.ts';

interface Wish {
  desired: Desired;
  /** Version of the entry it was read from or written as; undefined = no entry known. */
  version: number | undefined;
  lapsesAtMs: number;
  /** When it was read or set here. */
  sinceMs: number;
  unwritten: boolean;
  writing: boolean;
  /** Set by a write that failed: not before then again. */
  againAtMs?: number;
  /** When its entry was seen to be gone; why is not known yet. */
  goneAtMs?: number;
  /** Read while our own write was under way; judged after it. */
  meanwhile?: Entry;
}

export interface DesiredBoard {
  /**
   * Shares a wish that the balancer here already follows. True when it is in the store; false when it holds
   * at this Herald alone until the store is back.
   */
  share(gateway: string, desired: Desired): Promise<boolean>;
  /**
   * Tells the balancer a wish known from before a restart. The store's word replaces it, also by having no
   * entry; only a wish that the store never got is written there.
   */
  restore(gateway: string, kept: KeptDesired): void;
  /** Writes what the store lacks, ends what has lapsed, deletes what is long over. Call about each 100 ms. */
  step(nowMs: number): void;
  all(): Map<string, KeptDesired>;
  stop(): void;
}

export interface DesiredBoardOptions {
  coordination: Coordination;
  balancer: Balancer;
  paths: ClusterPaths;
  clock: Clock;
  ownWrite: () => OwnWrite | undefined;
  log: Log;
}

/** A gateway that is `up` again needs no entry for longer than its last order to take effect. */
const KEEP_UP_MS = 3_600_000;
const MAX_WISHES = 100_000;
/** A store that refuses a wish is not asked ten times a second, wish by wish. */
const AGAIN_AFTER_MS = 500;
/** A recursive delete removes the entries before their folder, which has this long to follow. */
const FOLDER_GONE_MS = 1_000;

export function createDesiredBoard(options: DesiredBoardOptions): DesiredBoard {
  const { coordination, balancer, paths, clock, log } = options;
  const wishes = new Map<string, Wish>();

  const apply = (gateway: string, desired: Desired): void => {
    balancer.setDesired(gateway, desired, clock.nowMs());
  };

  const adopt = (gateway: string, entry: Entry): void => {
    const decoded = decodeDesired(entry.data);
    if (!decoded.ok) {
      log.warn('desired-entry-refused', { gateway, ...decoded.refusal });
      return;
    }
    const { desired, forMs } = decoded.value;
    const nowMs = clock.nowMs();
    // Where no stamp tells the age, the author's wall clock has to do.
    const leftMs = forMs - (ageMs(entry, options.ownWrite(), undefined, nowMs) ?? NaN);
    const untilMs = Number.isNaN(leftMs) ? desired.untilEpochMs - clock.epochMs() : leftMs;
    const before = wishes.get(gateway);
    const lapsesAtMs = forMs === 0 ? Infinity : nowMs + untilMs;
    wishes.set(gateway, {
      desired,
      version: entry.version,
      lapsesAtMs,
      sinceMs: nowMs,
      unwritten: false,
      writing: false,
    });
    if (sameDesired(before?.desired, desired)) return;
    if (before?.unwritten) log.warn('desired-superseded', { gateway, wanted: before.desired.state });
    log.info('desired', { gateway, state: desired.state, reason: desired.reason, author: desired.author });
    apply(gateway, desired);
  };

  const forget = (gateway: string, { desired: { state } }: Wish): void => {
    wishes.delete(gateway);
    if (state === 'up') return;
    log.warn('desired-entry-deleted', { gateway, state });
    apply(gateway, { state: 'up', reason: 'entry deleted', author: '', untilEpochMs: 0 });
  };

  let judging = false;
  /** An entry deleted by hand ends its wish; gone with the whole folder it was lost, and is written again. */
  const judgeGone = async (): Promise<void> => {
    judging = true;
    const folder = await coordination.list(paths.desired);
    judging = false;
    const isLoss = !folder.ok && folder.why === 'no-node';
    let lost = 0;
    for (const [gateway, wish] of wishes) {
      if (wish.goneAtMs === undefined) continue;
      if (isLoss) {
        delete wish.goneAtMs;
        wish.version = undefined;
        wish.unwritten = true;
        lost++;
      } else if (folder.ok && clock.nowMs() - wish.goneAtMs > FOLDER_GONE_MS) {
        forget(gateway, wish);
      }
    }
    if (lost > 0) log.warn('desired-entries-lost', { wishes: lost });
  };

  const onEntry = (gateway: string, entry: Entry | undefined): void => {
    if (!ID_PATTERN.test(gateway)) return;
    const wish = wishes.get(gateway);
    if (entry && wish?.writing) {
      wish.meanwhile = entry;
    } else if (entry && wish?.unwritten && wish.version === entry.version) {
      // The entry our unwritten wish is about to replace.
    } else if (entry) {
      if (wish || wishes.size < MAX_WISHES) adopt(gateway, entry);
    } else if (wish && !wish.unwritten && !wish.writing) {
      wish.goneAtMs ??= clock.nowMs();
    }
  };
  /** Wishes restored from disk that the store knows nothing of were ended there while we were down. */
  const onNames = (names: readonly string[]): void => {
    const stored = new Set(names);
    for (const [gateway, wish] of wishes) {
      if (wish.version !== undefined || wish.unwritten || wish.writing || stored.has(gateway)) continue;
      wish.goneAtMs ??= clock.nowMs();
    }
  };
  const stopWatching = watchEntries(coordination, paths.desired, { onEntry, onNames }, MAX_WISHES);

  /** One try to write a wish over exactly the version it was made on. */
  const write = async (gateway: string, wish: Wish): Promise<boolean> => {
    wish.writing = true;
    const path = paths.desiredOf(gateway);
    const forMs = wish.lapsesAtMs === Infinity ? 0 : Math.max(1, Math.round(wish.lapsesAtMs - clock.nowMs()));
    const data = encodeDesired({ desired: wish.desired, forMs });
    const written =
      wish.version === undefined
        ? await coordination.create(path, data)
        : await coordination.put(path, data, wish.version);
    wish.writing = false;
    if (wishes.get(gateway) !== wish) return written.ok;
    if (!written.ok) wish.againAtMs = clock.nowMs() + AGAIN_AFTER_MS;
    if (written.ok) {
      wish.unwritten = false;
      wish.version = written.value?.version ?? 0;
    } else if (written.why === 'no-node') {
      wish.version = undefined;
    } else if (written.why === 'exists' || written.why === 'version') {
      const theirs = await coordination.get(path);
      if (theirs.ok && wishes.get(gateway) === wish) adopt(gateway, theirs.value);
      return false;
    }
    const { meanwhile } = wish;
    delete wish.meanwhile;
    if (meanwhile && (wish.version === undefined || meanwhile.version > wish.version)) {
      adopt(gateway, meanwhile);
    }
    return written.ok;
  };

  const hold = (gateway: string, desired: Desired, version: number | undefined, unwritten: boolean): Wish => {
    const nowMs = clock.nowMs();
    const lapsesAtMs = desired.untilEpochMs > 0 ? nowMs + desired.untilEpochMs - clock.epochMs() : Infinity;
    const wish = { desired, version, lapsesAtMs, sinceMs: nowMs, unwritten, writing: false };
    wishes.set(gateway, wish);
    return wish;
  };

  return {
    async share(gateway, desired) {
      // An operator's new word goes over whatever the store says now: read the version first.
      const wish = hold(gateway, desired, wishes.get(gateway)?.version, true);
      if (coordination.state() !== 'up') return false;
      wish.writing = true;
      const found = await coordination.get(paths.desiredOf(gateway));
      wish.writing = false;
      if (wishes.get(gateway) !== wish) return false;
      if (found.ok) wish.version = found.value.version;
      else if (found.why === 'no-node') wish.version = undefined;
      else return false;
      return write(gateway, wish);
    },
    restore(gateway, { desired, unshared }) {
      hold(gateway, desired, undefined, unshared);
      apply(gateway, desired);
    },
    step(nowMs) {
      const up = coordination.state() === 'up';
      if (up && !judging && [...wishes.values()].some(({ goneAtMs }) => goneAtMs !== undefined))
        void judgeGone();
      for (const [gateway, wish] of wishes) {
        if (nowMs >= wish.lapsesAtMs) {
          const next = lapsed(wish.desired);
          log.info('desired-lapsed', { gateway, state: wish.desired.state });
          hold(gateway, next, wish.version, true);
          apply(gateway, next);
        } else if (up && wish.unwritten && !wish.writing && nowMs >= (wish.againAtMs ?? 0)) {
          void write(gateway, wish);
        } else if (
          up &&
          !wish.unwritten &&
          wish.desired.state === 'up' &&
          nowMs - wish.sinceMs > KEEP_UP_MS
        ) {
          wish.sinceMs = nowMs;
          void coordination.remove(paths.desiredOf(gateway), wish.version ?? -1);
        }
      }
    },
    all: () =>
      new Map(
        [...wishes].map(([gateway, { desired, unwritten }]) => [gateway, { desired, unshared: unwritten }]),
      ),
    stop: stopWatching,
  };
}
