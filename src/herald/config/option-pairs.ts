// Options of the form `name=value[,name=value]`, read once at the start.

import { StartError } from '../../daemon/lifecycle.ts';

/** Splits each entry at its first `=`; throws a StartError that names the flag and the entry. */
export function optionPairs(entries: readonly string[], flag: string, words: string): [string, string][] {
  return entries.map((entry) => {
    const at = entry.indexOf('=');
    const [name, value] = [entry.slice(0, Math.max(at, 0)).trim(), entry.slice(at + 1).trim()];
    if (name === '' || value === '') throw new StartError(`${flag} ${entry}: expected ${words}`);
    return [name, value];
  });
}
