// (6) What the runtime has, for a program that gives nothing of its own. The types of browsers and Node differ.

import type { FetchLike, Timers } from './connect-options.ts';

interface Runtime {
  fetch: FetchLike;
  setTimeout(run: () => void, afterMs: number): unknown;
  clearTimeout(timer: unknown): void;
}

/** Read at each call: a test or a library may replace any of them later. */
const runtime = (): Runtime => globalThis;

export const runtimeFetch: FetchLike = (url, init) => runtime().fetch(url, init);

export const runtimeTimers: Timers = {
  setTimeout: (run, afterMs) => runtime().setTimeout(run, afterMs),
  clearTimeout: (timer) => runtime().clearTimeout(timer),
  nowMs: () => performance.now(),
};
