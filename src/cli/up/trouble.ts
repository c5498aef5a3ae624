// What a child of `herald up` logs, in one readable line when it is a warning or worse.

const NOT_FOR_READERS = new Set(['level', 'event', 'daemon', 'time', 'stack']);

/** Everything else stays in the child. */
export function troubleOf(line: string): string | undefined {
  try {
    const entry = JSON.parse(line) as Record<string, unknown>;
    const { level, event } = entry;
    if (level !== 'warn' && level !== 'error' && level !== 'fatal') return undefined;
    const details = Object.entries(entry)
      .filter(([key]) => !NOT_FOR_READERS.has(key))
      .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
    return [String(event), ...details].join(' ');
  } catch {
    // A start that failed says so over IPC as well, in words that fit here.
    return line.startsWith('herald: ') ? undefined : line;
  }
}
