// What was caught, which may be anything: its code, and in words.

/** Of the system or of a library, such as ENOENT; undefined where there is none. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** Never empty: an error that stands for several (AggregateError) has a code and no words of its own. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message || (codeOf(error) ?? error.name);
}
