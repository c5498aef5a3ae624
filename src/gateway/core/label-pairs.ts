// Labels of the configuration: a list of `key=value`.

/** Later pairs win; an item without `=` is a label with an empty value. */
export function parsePairs(items: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    items.map((item) => {
      const equals = item.indexOf('=');
      return equals < 0 ? [item, ''] : [item.slice(0, equals), item.slice(equals + 1)];
    }),
  );
}
