// Values given as flags, checked where they come in, so that a slip is one line that names the flag.

import { userInfo } from 'node:os';
import { StartError } from '../../daemon/lifecycle.ts';
import { hideCredentials } from '../../protocol/decode.ts';
import { heraldBaseOf } from '../../protocol/lookup.ts';

/** A whole number in a range. */
export function wholeNumber(flag: string, text: string, min: number, max: number): number {
  return inRange(flag, text, min, max, 'an integer', Number.isInteger(Number(text)));
}

/** Any number in a range. */
export function decimalNumber(flag: string, text: string, min: number, max: number): number {
  return inRange(flag, text, min, max, 'a number', true);
}

function inRange(flag: string, text: string, min: number, max: number, kind: string, fits: boolean): number {
  const value = Number(text);
  if (text.trim() === '' || !fits || !(value >= min && value <= max)) {
    throw new StartError(`${flag} ${text}: expected ${kind} from ${min} to ${max}`);
  }
  return value;
}

/** The URL of a Herald: http or https, with a path where a proxy has it below one. Without what `heraldBaseOf` takes off. */
export function heraldUrl(flag: string, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isHttp = url?.protocol === 'http:' || url?.protocol === 'https:';
  const more = url && url.username + url.password + url.search + url.hash;
  if (!isHttp || more !== '') {
    throw new StartError(`${flag} ${hideCredentials(text)}: expected a URL such as http://127.0.0.1:7400`);
  }
  return heraldBaseOf(text);
}

/** The same, several with commas. */
export function heraldUrls(flag: string, text: string): string[] {
  return text.split(',').map((url) => heraldUrl(flag, url.trim()));
}

/** Who asks, for the audit. A container may run as a user without a name. */
export function author(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
