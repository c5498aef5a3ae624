// Which announced URLs may be handed to clients: the guard that keeps Herald from being an open redirect.

/** Compiles `allowedUrls`. `*` alone allows all; inside a pattern it stands for any characters but `/`. */
export function allowedUrls(patterns: readonly string[]): (url: string) => boolean {
  if (patterns.includes('*')) return () => true;
  const compiled = patterns.map(
    (pattern) => new RegExp(`^${pattern.split('*').map(escaped).join('[^/]*')}$`),
  );
  return (url) => compiled.some((pattern) => pattern.test(url));
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
