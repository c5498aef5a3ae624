/**
 * The same text, flat. The engine keeps joined texts as a tree and would copy it leaf by leaf when it is sent; reading a
 * character flattens it here, where its parts are still in the cache.
 */
export function inOnePiece(text: string): string {
  return text.charCodeAt(0) > 0 ? text : '';
}
