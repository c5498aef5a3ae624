// What was caught, which may be anything: its code, and in words.

/** Of the system or of a library, such as ENOENT; undefined where there is none. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** Codes that tell a stranger nothing, of Node and undici, by what they mean. */
const MEANINGS: Readonly<Record<string, string>> = {
  UND_ERR_SOCKET: 'closed without an answer; is it https?',
  ERR_SSL_WRONG_VERSION_NUMBER: 'speaks no TLS; is it http?',
  // The same, of Node 22 and later.
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'speaks no TLS; is it http?',
};

/** Why a request failed, in as few words as can be: its code where that is plain. */
export function failureOf(error: unknown): string {
  const code = codeOf(error);
  return code === undefined ? messageOf(error) : (MEANINGS[code] ?? code);
}

/** Never empty: an error that stands for several (AggregateError) has a code and no words of its own. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message || (codeOf(error) ?? error.name);
}
