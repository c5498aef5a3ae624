// Which announced URLs may be handed to clients: the guard that keeps Herald from being an open redirect.

/**
 * Compiles `allowedUrls`. `*` alone allows all; inside a pattern it stands for any characters but `/`. At the end of a
 * host, no domain of somebody else fits: `10.0.0.*` is addresses, and `gateway-*` has no dot.
 */
export function allowedUrls(patterns: readonly string[]): (url: string) => boolean {
  if (patterns.includes('*')) return () => true;
  const compiled = patterns.map((pattern) => new RegExp(`^${source(pattern)}$`));
  return (url) => compiled.some((pattern) => pattern.test(url));
}

function source(pattern: string): string {
  const [, host, rest = ''] = /^([^/:]+:\/\/[^/:]+)\*([:/].*)?$/.exec(pattern) ?? [];
  if (host === undefined) return anyButSlash(pattern);
  return anyButSlash(host) + (/[\d.]$/.test(host) ? '[\\d.]*' : '[^/.:]*') + anyButSlash(rest);
}

function anyButSlash(text: string): string {
  return text.split('*').map(escaped).join('[^/]*');
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
