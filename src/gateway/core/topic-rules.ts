// Settings that differ by topic: a list of `prefix=value` items, where the longest prefix that fits wins and
// an empty prefix fits every topic.

export class TopicRules<T> {
  readonly #rules: { prefix: string; value: T }[];
  readonly #fallback: T;

  constructor(rules: Iterable<readonly [prefix: string, value: T]>, fallback: T) {
    this.#rules = [...rules]
      .map(([prefix, value]) => ({ prefix, value }))
      .toSorted((a, b) => b.prefix.length - a.prefix.length);
    this.#fallback = fallback;
  }

  of(topic: string): T {
    return this.#rules.find(({ prefix }) => topic.startsWith(prefix))?.value ?? this.#fallback;
  }
}

/** Reads `prefix=number` items; undefined when one is malformed or out of range. */
export function parseNumberRules(
  items: readonly string[],
  min: number,
  max: number,
): [prefix: string, value: number][] | undefined {
  const rules: [string, number][] = [];
  for (const item of items) {
    const equals = item.lastIndexOf('=');
    const number = item.slice(equals + 1).trim();
    const value = Number(number);
    if (equals < 0 || number === '' || !(value >= min && value <= max)) return undefined;
    rules.push([item.slice(0, equals), value]);
  }
  return rules;
}
