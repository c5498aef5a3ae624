// The known word closest to a mistyped one, for messages that help.

/** The nearest of `known` within a third of its length in edits, or undefined. */
export function nearest(given: string, known: readonly string[]): string | undefined {
  const wanted = given.toLowerCase();
  let best: string | undefined;
  let bestDistance = Infinity;
  for (const word of known) {
    const most = Math.min(bestDistance - 1, Math.max(2, Math.floor(word.length / 3)));
    const distance = editDistance(wanted, word.toLowerCase(), most);
    if (distance > most) continue;
    best = word;
    bestDistance = distance;
  }
  return best;
}

/** `; did you mean X?`, to end a refusal with; empty when nothing known is near. */
export function didYouMean(given: string, known: readonly string[]): string {
  const close = nearest(given, known);
  return close === undefined ? '' : `; did you mean ${close}?`;
}

/** What is wrong with the names of the options that a program gave to `of`; undefined when all are known. */
export function unknownOption(of: string, given: object, known: readonly string[]): string | undefined {
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown === undefined) return undefined;
  const hint = didYouMean(unknown, known) || `; there are ${known.join(', ')}`;
  return `${of}: unknown option ${unknown.slice(0, 80)}${hint}`;
}

/** Levenshtein distance, one row at a time; Infinity as soon as it must be above `most`: a fleet has many names. */
function editDistance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return Infinity;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    if (Math.min(...next) > most) return Infinity;
    row = next;
  }
  return row[b.length]!;
}
