// Labels of the configuration: a list of `key=value`.

/** Later pairs win. No item lacks its `=`: the check of the configuration comes first. */
export function parsePairs(items: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    items.map((item) => {
      const equals = item.indexOf('=');
      return [item.slice(0, equals), item.slice(equals + 1)];
    }),
  );
}
