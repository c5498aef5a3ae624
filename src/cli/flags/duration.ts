// `30m`, `90s`, `2h`, `1d`: durations as people type them.

import { StartError } from '../../daemon/lifecycle.ts';

const UNIT_MS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** As long as a timer of Node can run: it takes 2^31 ms and more for 1 ms. */
export const LONGEST_TIMER = '24d';

export function parseDurationMs(text: string, flag: string, longest?: string): number {
  const ms = durationMs(text);
  if (ms === undefined)
    throw new StartError(`${flag} ${text}: expected a duration such as 90s, 30m, 2h or 1d`);
  if (longest !== undefined && ms > durationMs(longest)!) {
    throw new StartError(`${flag} ${text}: expected at most ${longest}`);
  }
  return ms;
}

function durationMs(text: string): number | undefined {
  const parts = /^(\d{1,6})(s|m|h|d)$/.exec(text);
  return parts ? Number(parts[1]) * UNIT_MS[parts[2]!]! : undefined;
}
