// (1) Which Heralds to report to: the ones configured, and the ones that replies name. Pure and bounded, so
// that a broken reply can make a gateway neither forget its fleet nor talk to the whole world.

import { shown } from '../protocol/decode.ts';
import { REPORT_LIMITS } from '../protocol/load-report.ts';

/** A Herald that no reply has named for this long is dropped, unless it was configured. */
const FORGET_AFTER_MS = 60_000;

export interface HeraldList {
  /** Takes the list of one reply. True when the set of origins changed. */
  learn(urls: readonly string[], nowMs: number): boolean;
  /** Drops what has not been named for a minute. True when the set of origins changed. */
  forget(nowMs: number): boolean;
  /** Origins (`http://host:port`), configured ones first. */
  origins(): string[];
}

export function createHeraldList(configured: readonly string[]): HeraldList {
  // A program in JavaScript may give one URL, which would be taken letter by letter.
  if (!(configured instanceof Array)) {
    throw new TypeError(`heralds: received ${shown(configured)}, expected a list of Heralds' control URLs`);
  }
  const seeds = new Set<string>();
  for (const url of configured) {
    const origin = heraldOrigin(url);
    if (origin === undefined) throw new TypeError(`not a Herald's http:// or https:// URL: ${url}`);
    seeds.add(origin);
  }
  const named = new Map<string, number>();

  return {
    learn(urls, nowMs) {
      let changed = false;
      for (const url of urls) {
        const origin = heraldOrigin(url);
        if (origin === undefined || seeds.has(origin)) continue;
        if (!named.has(origin)) {
          if (seeds.size + named.size >= REPORT_LIMITS.maxHeralds) continue;
          changed = true;
        }
        named.set(origin, nowMs);
      }
      return changed;
    },
    forget(nowMs) {
      let changed = false;
      for (const [origin, atMs] of named) {
        if (nowMs - atMs > FORGET_AFTER_MS) changed = named.delete(origin) || changed;
      }
      return changed;
    },
    origins: () => [...seeds, ...named.keys()],
  };
}

/** The origin of an http(s) URL without credentials, or undefined. */
export function heraldOrigin(url: string): string | undefined {
  if (url.length > 300 || !URL.canParse(url)) return undefined;
  const parsed = new URL(url);
  const plain = parsed.username === '' && parsed.password === '';
  return plain && (parsed.protocol === 'http:' || parsed.protocol === 'https:') ? parsed.origin : undefined;
}
