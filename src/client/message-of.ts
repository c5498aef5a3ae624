// (6) What went wrong, in words for a person.

export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // To Node's `fetch` all that fails is "fetch failed"; why stands behind it.
  const { cause } = error;
  return cause instanceof Error && cause.message !== ''
    ? `${error.message}, ${cause.message}`
    : error.message;
}
