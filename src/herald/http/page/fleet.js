// What the page makes of a table: which rows to show and in which order, what is wrong, and the figures of the fleet.

/** Whether its load is news: of a gateway that fell silent only the last report is left. */
export const isKnown = (row) => !['stale', 'suspect', 'expired'].includes(row.effectiveState);

const names = new Intl.Collator('en', { numeric: true });
const byName = (a, b) => names.compare(a.gateway, b.gateway);
/** First those that lookups avoid though nobody took them out, then those that somebody did. */
const turn = ({ effectiveState, breaker }) => {
  if (['draining', 'drain', 'maint'].includes(effectiveState)) return 1;
  return effectiveState === 'up' && breaker !== 'open' ? 2 : 0;
};
const ORDERS = {
  state: (a, b) => turn(a) - turn(b) || byName(a, b),
  gateway: byName,
  expected: (a, b) =>
    Number(isKnown(b)) - Number(isKnown(a)) || b.expectedScore - a.expectedScore || byName(a, b),
  connections: (a, b) => b.connections - a.connections || byName(a, b),
  age: (a, b) => b.ageMs - a.ageMs || byName(a, b),
};

/** Rows that have all words somewhere in their id, pool, zone or state. */
export function found(gateways, words, order) {
  const wanted = words.trim().toLowerCase().split(/\s+/).filter(Boolean);
  return gateways
    .filter((row) => {
      const text = `${row.gateway} ${row.pool} ${row.zone} ${row.effectiveState}`.toLowerCase();
      return wanted.every((word) => text.includes(word));
    })
    .sort(ORDERS[order]);
}

/** What an operator should know at once, a line each. */
export function alarmsOf({ degraded, gateways }) {
  const silent = gateways.filter((row) => !isKnown(row)).length;
  const are = silent === 1 ? 'is' : 'are';
  return silent === 0
    ? degraded
    : [...degraded, `${silent} of ${gateways.length} gateways ${are} silent and not named`];
}

/** `mean` and `hottest` are of those that take lookups; undefined where there are none. */
export function figuresOf(gateways) {
  const up = gateways.filter((row) => row.effectiveState === 'up');
  const sum = (rows, of) => rows.reduce((total, row) => total + of(row), 0);
  const capacity = sum(up, (row) => row.capacity);
  return {
    up: up.length,
    connections: sum(gateways, (row) => row.connections),
    picks: sum(gateways, (row) => row.picks),
    mean: capacity > 0 ? sum(up, (row) => row.expectedScore * row.capacity) / capacity : undefined,
    hottest: up.reduce((most, row) => Math.max(most, row.expectedScore), 0),
  };
}
