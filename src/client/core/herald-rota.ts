// (6) Which Herald to ask: one of those given, at random, so that a fleet of clients spreads over replicas; the next
// one after a silence. Gateways name further ones: what the last of them named counts, so that one that has gone for
// good is not asked for ever.

import { shown } from '../../protocol/decode.ts';
import { heraldBaseOf } from '../../protocol/lookup.ts';
import { isUrl } from '../../protocol/names.ts';

/** Of those that gateways name. */
const MAX_LEARNED = 16;

export interface HeraldRota {
  /** Base URL of the Herald whose turn it is. */
  current(): string;
  /** That one did not answer. */
  next(): void;
  size(): number;
  /** All that a gateway names, in place of what was learned before; what is not an http(s) URL is ignored. */
  learn(urls: readonly string[]): void;
  /** One more. */
  add(url: string): void;
}

/** At least one URL is given. Throws a TypeError for what can be none. */
export function createHeraldRota(given: readonly string[], random: () => number): HeraldRota {
  const own = [...new Set(given.map(readBase))];
  let all = own;
  const withOthers = (known: readonly string[], urls: readonly string[]): string[] => {
    const bases = urls.map(baseOf).filter((base) => base !== undefined);
    return [...new Set([...known, ...bases])].slice(0, own.length + MAX_LEARNED);
  };
  let current = own[Math.floor(random() * own.length)]!;
  return {
    current: () => current,
    next() {
      const at = all.indexOf(current);
      const turn = at < 0 ? Math.floor(random() * all.length) : (at + 1) % all.length;
      current = all[turn]!;
    },
    size: () => all.length,
    learn: (urls) => void (all = withOthers(own, urls)),
    add: (url) => void (all = withOthers(all, [url])),
  };
}

function readBase(url: string): string {
  const base = baseOf(url);
  if (base !== undefined) return base;
  throw new TypeError(
    `herald: received ${shown(url)}, expected an http:// or https:// URL without credentials`,
  );
}

function baseOf(url: string): string | undefined {
  // With credentials no `fetch` would ask it.
  if (typeof url !== 'string' || !/^https?:\/\/[^/?#@]+([/?#]|$)/.test(url) || !isUrl(url)) return undefined;
  return heraldBaseOf(url.replace(/[?#].*$/, ''));
}
