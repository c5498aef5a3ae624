// (4) What operators want of gateways, shared: every Herald watches all entries and tells its balancer. A wish
// made while the store is away holds here and is written on its return, unless somebody else was heard there
// in the meantime. Only the newest wish of a gateway is kept, so nothing queues.

import type { Coordination, Entry } from '../../cluster/coordination.ts';
import type { ClusterPaths } from '../../cluster/paths.ts';
import type { EntriesListener } from '../../cluster/watch-entries.ts';
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

export class DesiredBoard {
  readonly #options: DesiredBoardOptions;
  readonly #wishes = new Map<string, Wish>();
  readonly #stopWatching: () => void;
  #judging = false;

  constructor(options: DesiredBoardOptions) {
    this.#options = options;
    const listener: EntriesListener = {
      onEntry: (gateway, entry) => this.#seen(gateway, entry),
      onNames: (names) => this.#listed(names),
    };
    this.#stopWatching = watchEntries(options.coordination, options.paths.desired, listener, MAX_WISHES);
  }

  /**
   * Shares a wish that the balancer here already follows. True when it is in the store; false when it holds
   * at this Herald alone until the store is back.
   */
  async share(gateway: string, desired: Desired): Promise<boolean> {
    const { coordination, paths } = this.#options;
    // An operator's new word goes over whatever the store says now: read the version first.
    const wish = this.#hold(gateway, desired, this.#wishes.get(gateway)?.version, true);
    if (coordination.state() !== 'up') return false;
    wish.writing = true;
    const found = await coordination.get(paths.desiredOf(gateway));
    wish.writing = false;
    if (this.#wishes.get(gateway) !== wish) return false;
    if (found.ok) wish.version = found.value.version;
    else if (found.why === 'no-node') wish.version = undefined;
    else return false;
    return this.#write(gateway, wish);
  }

  /**
   * Tells the balancer a wish known from before a restart. The store's word replaces it, also by having no
   * entry; only a wish that the store never got is written there.
   */
  restore(gateway: string, { desired, unshared }: KeptDesired): void {
    this.#hold(gateway, desired, undefined, unshared);
    this.#apply(gateway, desired);
  }

  /** Writes what the store lacks, ends what has lapsed, deletes what is long over. Call about each 100 ms. */
  step(nowMs: number): void {
    const isUp = this.#options.coordination.state() === 'up';
    if (isUp && !this.#judging && this.#isAnyGone()) void this.#judgeGone();
    for (const [gateway, wish] of this.#wishes) {
      if (nowMs >= wish.lapsesAtMs) this.#lapse(gateway, wish);
      else if (isUp) this.#tidy(gateway, wish, nowMs);
    }
  }

  all(): Map<string, KeptDesired> {
    return new Map(
      [...this.#wishes].map(([gateway, { desired, unwritten }]) => [
        gateway,
        { desired, unshared: unwritten },
      ]),
    );
  }

  stop(): void {
    this.#stopWatching();
  }

  #apply(gateway: string, desired: Desired): void {
    const { balancer, clock } = this.#options;
    balancer.setDesired(gateway, desired, clock.nowMs());
  }

  #hold(gateway: string, desired: Desired, version: number | undefined, unwritten: boolean): Wish {
    const { clock } = this.#options;
    const nowMs = clock.nowMs();
    const lapsesAtMs = desired.untilEpochMs > 0 ? nowMs + desired.untilEpochMs - clock.epochMs() : Infinity;
    const wish = { desired, version, lapsesAtMs, sinceMs: nowMs, unwritten, writing: false };
    this.#wishes.set(gateway, wish);
    return wish;
  }

  /** An entry is there, or there no more. */
  #seen(gateway: string, entry: Entry | undefined): void {
    if (!ID_PATTERN.test(gateway)) return;
    const wish = this.#wishes.get(gateway);
    if (entry && wish?.writing) {
      wish.meanwhile = entry;
    } else if (entry && wish?.unwritten && wish.version === entry.version) {
      // The entry our unwritten wish is about to replace.
    } else if (entry) {
      if (wish || this.#wishes.size < MAX_WISHES) this.#adopt(gateway, entry);
    } else if (wish && !wish.unwritten && !wish.writing) {
      wish.goneAtMs ??= this.#options.clock.nowMs();
    }
  }

  /** Wishes restored from disk that the store knows nothing of were ended there while we were down. */
  #listed(names: readonly string[]): void {
    const stored = new Set(names);
    for (const [gateway, wish] of this.#wishes) {
      if (wish.version !== undefined || wish.unwritten || wish.writing || stored.has(gateway)) continue;
      wish.goneAtMs ??= this.#options.clock.nowMs();
    }
  }

  /** What the store says becomes the wish. */
  #adopt(gateway: string, entry: Entry): void {
    const { clock, log, ownWrite } = this.#options;
    const decoded = decodeDesired(entry.data);
    if (!decoded.ok) {
      log.warn('desired-entry-refused', { gateway, ...decoded.refusal });
      // Somebody has spoken since, if in words of a later version: what we had still to write does not go over it.
      const wish = this.#wishes.get(gateway);
      if (wish) wish.unwritten = false;
      return;
    }
    const { desired, forMs } = decoded.value;
    const nowMs = clock.nowMs();
    // Where no stamp tells the age, the author's wall clock has to do.
    const leftMs = forMs - (ageMs(entry, ownWrite(), undefined, nowMs) ?? NaN);
    const untilMs = Number.isNaN(leftMs) ? desired.untilEpochMs - clock.epochMs() : leftMs;
    const before = this.#wishes.get(gateway);
    // Read once more, as after a reconnection: the clock of the store may have been set since.
    const isKnown = before?.version === entry.version && sameDesired(before.desired, desired);
    this.#wishes.set(gateway, {
      desired,
      version: entry.version,
      lapsesAtMs: isKnown ? before.lapsesAtMs : forMs === 0 ? Infinity : nowMs + untilMs,
      sinceMs: nowMs,
      unwritten: false,
      writing: false,
    });
    if (sameDesired(before?.desired, desired)) return;
    if (before?.unwritten) log.warn('desired-superseded', { gateway, wanted: before.desired.state });
    log.info('desired', { gateway, state: desired.state, reason: desired.reason, author: desired.author });
    this.#apply(gateway, desired);
  }

  #isAnyGone(): boolean {
    return [...this.#wishes.values()].some(({ goneAtMs }) => goneAtMs !== undefined);
  }

  /** An entry deleted by hand ends its wish; gone with the whole folder it was lost, and is written again. */
  async #judgeGone(): Promise<void> {
    const { coordination, paths, clock, log } = this.#options;
    this.#judging = true;
    const folder = await coordination.list(paths.desired);
    this.#judging = false;
    const isLoss = !folder.ok && folder.why === 'no-node';
    let lost = 0;
    for (const [gateway, wish] of this.#wishes) {
      if (wish.goneAtMs === undefined) continue;
      if (isLoss) {
        delete wish.goneAtMs;
        wish.version = undefined;
        wish.unwritten = true;
        lost++;
      } else if (folder.ok && clock.nowMs() - wish.goneAtMs > FOLDER_GONE_MS) {
        this.#forget(gateway, wish);
      }
    }
    if (lost > 0) log.warn('desired-entries-lost', { wishes: lost });
  }

  #forget(gateway: string, { desired: { state } }: Wish): void {
    this.#wishes.delete(gateway);
    if (state === 'up') return;
    this.#options.log.warn('desired-entry-deleted', { gateway, state });
    this.#apply(gateway, { state: 'up', reason: 'entry deleted', author: '', untilEpochMs: 0 });
  }

  #lapse(gateway: string, { desired, version }: Wish): void {
    const next = lapsed(desired);
    this.#options.log.info('desired-lapsed', { gateway, state: desired.state });
    this.#hold(gateway, next, version, true);
    this.#apply(gateway, next);
  }

  /** Brings the store what it lacks of a wish, and takes from it what is long over. */
  #tidy(gateway: string, wish: Wish, nowMs: number): void {
    const { coordination, paths } = this.#options;
    if (wish.unwritten) {
      if (!wish.writing && nowMs >= (wish.againAtMs ?? 0)) void this.#write(gateway, wish);
    } else if (wish.desired.state === 'up' && nowMs - wish.sinceMs > KEEP_UP_MS) {
      wish.sinceMs = nowMs;
      void coordination.remove(paths.desiredOf(gateway), wish.version ?? -1);
    }
  }

  /** One try to write a wish over exactly the version it was made on. */
  async #write(gateway: string, wish: Wish): Promise<boolean> {
    const { coordination, paths, clock } = this.#options;
    wish.writing = true;
    const path = paths.desiredOf(gateway);
    const forMs = wish.lapsesAtMs === Infinity ? 0 : Math.max(1, Math.round(wish.lapsesAtMs - clock.nowMs()));
    const data = encodeDesired({ desired: wish.desired, forMs });
    const written =
      wish.version === undefined
        ? await coordination.create(path, data)
        : await coordination.put(path, data, wish.version);
    wish.writing = false;
    if (this.#wishes.get(gateway) !== wish) return written.ok;
    if (!written.ok) wish.againAtMs = clock.nowMs() + AGAIN_AFTER_MS;
    if (written.ok) {
      wish.unwritten = false;
      wish.version = written.value?.version ?? 0;
    } else if (written.why === 'no-node') {
      wish.version = undefined;
    } else if (written.why === 'exists' || written.why === 'version') {
      const theirs = await coordination.get(path);
      if (theirs.ok && this.#wishes.get(gateway) === wish) this.#adopt(gateway, theirs.value);
      return false;
    }
    const { meanwhile } = wish;
    delete wish.meanwhile;
    if (meanwhile && (wish.version === undefined || meanwhile.version > wish.version)) {
      this.#adopt(gateway, meanwhile);
    }
    return written.ok;
  }
}
