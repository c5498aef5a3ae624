// The pause before something that failed at a store that is up is tried again: short, because others wait
// for the result, and spread, because many processes fail at the same moment.

export function pauseMs(random = Math.random()): number {
  return 200 + 300 * random;
}
