// (1) A link to every Herald known: opened when a reply names it, dropped when no reply does any more.

import type { FeedbackReply } from '../protocol/load-report.ts';
import type { HeraldLink, LinkParts, LinkSnapshot } from './herald-link.ts';
import { openHeraldLink } from './herald-link.ts';
import { createHeraldList } from './core/herald-list.ts';
import type { ReportKind } from './core/report-pace.ts';

export interface HeraldLinksParts extends Omit<LinkParts, 'base' | 'onReply' | 'onFailure'> {
  /** Control URLs to start from. */
  heralds: readonly string[];
  /** `periodMs`: the shortest that any Herald asks for, since silence is judged by the one that waits least. */
  onReply: (reply: FeedbackReply, periodMs: number) => void;
}

export interface HeraldLinks {
  /** Opens the first links, each with a report. */
  open(): void;
  /** Drops the Heralds that no reply has named for a while. */
  forget(): void;
  push(kind: ReportKind, urgent?: boolean): void;
  /** Resolves when nothing is under way or waiting. */
  idle(): Promise<void>;
  /** Says goodbye to every Herald once it has heard all there was to say; obeys no reply any more. Never rejects. */
  goodbye(): Promise<void>;
  drop(): void;
  failuresTotal(): number;
  snapshot(): LinkSnapshot[];
}

/** Throws a TypeError for URLs that cannot be a Herald's. */
export function createHeraldLinks(parts: HeraldLinksParts): HeraldLinks {
  const { clock } = parts;
  const list = createHeraldList(parts.heralds);
  const links = new Map<string, HeraldLink>();
  const askedPeriods = new Map<string, number>();
  let failuresTotal = 0;
  let leaving = false;

  const onReply = (base: string, reply: FeedbackReply): void => {
    if (leaving) return;
    if (list.learn(reply.heralds, clock.nowMs())) sync();
    askedPeriods.set(base, reply.periodMs);
    parts.onReply(reply, Math.min(...askedPeriods.values()));
  };

  const sync = (): void => {
    const wanted = new Set(list.bases());
    for (const base of wanted) {
      if (links.has(base)) continue;
      const link = openHeraldLink({
        ...parts,
        base,
        onReply: (reply) => onReply(base, reply),
        onFailure: () => (failuresTotal += 1),
      });
      links.set(base, link);
      link.push('full');
    }
    for (const [base, link] of links) {
      if (wanted.has(base)) continue;
      link.drop();
      links.delete(base);
      askedPeriods.delete(base);
    }
  };

  /** All links, but one Herald known under two addresses only once. */
  const distinct = (): HeraldLink[] => {
    const ids = new Set<string>();
    return [...links.values()].filter((link) => {
      const { state, heraldId } = link.snapshot();
      if (state !== 'up') return true;
      if (ids.has(heraldId)) return false;
      ids.add(heraldId);
      return true;
    });
  };

  return {
    open: sync,
    forget() {
      if (list.forget(clock.nowMs())) sync();
    },
    push(kind, urgent) {
      for (const link of distinct()) link.push(kind, urgent);
    },
    async idle() {
      await Promise.all([...links.values()].map((link) => link.idle()));
    },
    async goodbye() {
      leaving = true;
      await Promise.all([...links.values()].map((link) => link.idle().then(() => link.goodbye())));
    },
    drop() {
      for (const link of links.values()) link.drop();
    },
    failuresTotal: () => failuresTotal,
    snapshot: () => [...links.values()].map((link) => link.snapshot()),
  };
}
