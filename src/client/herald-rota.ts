// (6) Which Herald to ask: one of those given, at random, so that a fleet of clients spreads over replicas;
// the next one after a silence. Gateways name further ones in `welcome`.

import { isUrl } from '../protocol/names.ts';

const MAX_HERALDS = 16;

export interface HeraldRota {
  /** Base URL of the Herald whose turn it is. */
  current(): string;
  /** That one did not answer. */
  next(): void;
  size(): number;
  /** Adds what a gateway named; what is not an http(s) URL is ignored. */
  learn(urls: readonly string[]): void;
}

/** Throws a TypeError when no usable URL is given. */
export function createHeraldRota(given: readonly string[], random: () => number): HeraldRota {
  const urls: string[] = [];
  const add = (url: string): boolean => {
    const base = baseOf(url);
    if (base === undefined || urls.length >= MAX_HERALDS) return base !== undefined;
    if (!urls.includes(base)) urls.push(base);
    return true;
  };
  for (const url of given) {
    if (!add(url))
      throw new TypeError(`herald: received ${JSON.stringify(url)}, expected an http:// or https:// URL`);
  }
  if (urls.length === 0) throw new TypeError('herald: received no URL');
  let turn = Math.floor(random() * urls.length);
  return {
    current: () => urls[turn]!,
    next: () => void (turn = (turn + 1) % urls.length),
    size: () => urls.length,
    learn: (named) => {
      for (const url of named) add(url);
    },
  };
}

/** Without a trailing slash and without the path of the lookup itself. */
function baseOf(url: string): string | undefined {
  if (typeof url !== 'string' || !/^https?:\/\/[^/]/.test(url) || !isUrl(url)) return undefined;
  return url.replace(/[?#].*$/, '').replace(/(\/v1\/lookup)?\/*$/, '');
}
