// (6) What went wrong, in words for a person.

export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // To Node's `fetch` all that fails is "fetch failed"; why stands behind it.
  const { cause } = error;
  const behind = cause instanceof Error ? cause.message.trim() : '';
  return behind === '' ? error.message : `${error.message}, ${behind}`;
}
