// `30m`, `90s`, `2h`, `1d`: durations as people type them.

import { StartError } from '../daemon/lifecycle.ts';

const UNIT_MS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

export function parseDurationMs(text: string, flag: string): number {
  const parts = /^(\d{1,6})(s|m|h|d)$/.exec(text);
  if (!parts) throw new StartError(`${flag} ${text}: expected a duration such as 90s, 30m, 2h or 1d`);
  return Number(parts[1]) * UNIT_MS[parts[2]!]!;
}
