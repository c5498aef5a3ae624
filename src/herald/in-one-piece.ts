/**
 * The same text. The engine keeps what was put together as a tree and copies it leaf by leaf when it is sent, cold;
 * to read a character makes it one piece, here where all of it is at hand.
 */
export function inOnePiece(text: string): string {
  return text.charCodeAt(0) > 0 ? text : '';
}
