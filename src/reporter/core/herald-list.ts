// (1) Which Heralds to report to: the ones configured, and the ones that replies name. Pure and bounded, so
// that a broken reply can make a gateway neither forget its fleet nor talk to the whole world.

import { shown } from '../../protocol/decode.ts';
import { REPORT_LIMITS } from '../../protocol/load-report.ts';

/** A Herald that no reply has named for this long is dropped, unless it was configured. */
const FORGET_AFTER_MS = 60_000;

export interface HeraldList {
  /** Takes the list of one reply. True when the list changed. */
  learn(urls: readonly string[], nowMs: number): boolean;
  /** Drops what has not been named for a minute. True when the list changed. */
  forget(nowMs: number): boolean;
  /** `http://host:port`, with the path below which that Herald is asked; configured ones first. */
  bases(): string[];
}

export function createHeraldList(configured: readonly string[]): HeraldList {
  // A program in JavaScript may pass a single URL as text, which the loop below would read letter by letter. By an
  // empty list, as of a variable that is not set, nobody would ever be told.
  if (!(configured instanceof Array) || configured.length === 0) {
    throw new TypeError(`heralds: received ${shown(configured)}, expected a list of Heralds' control URLs`);
  }
  const seeds = new Set<string>();
  for (const url of configured) {
    const base = heraldBase(url);
    if (base === undefined) throw new TypeError(`not a Herald's http:// or https:// URL: ${url}`);
    seeds.add(base);
  }
  const named = new Map<string, number>();

  return {
    learn(urls, nowMs) {
      let changed = false;
      for (const url of urls) {
        const base = heraldBase(url);
        if (base === undefined || seeds.has(base)) continue;
        if (!named.has(base)) {
          if (seeds.size + named.size >= REPORT_LIMITS.maxHeralds) continue;
          changed = true;
        }
        named.set(base, nowMs);
      }
      return changed;
    },
    forget(nowMs) {
      let changed = false;
      for (const [base, atMs] of named) {
        if (nowMs - atMs > FORGET_AFTER_MS) changed = named.delete(base) || changed;
      }
      return changed;
    },
    bases: () => [...seeds, ...named.keys()],
  };
}

/** An http(s) URL without credentials and query, as what the paths of the API follow; undefined when it is none. */
export function heraldBase(url: string): string | undefined {
  if (url.length > 300 || !URL.canParse(url)) return undefined;
  const { protocol, username, password, origin, pathname, search, hash } = new URL(url);
  if (protocol !== 'http:' && protocol !== 'https:') return undefined;
  return username + password + search + hash === '' ? (origin + pathname).replace(/\/+$/, '') : undefined;
}
