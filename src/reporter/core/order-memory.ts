// (1) Every Herald repeats an order until it sees it obeyed, and several may carry the same one: this lets
// each through once.

import type { Directive } from '../../protocol/load-report.ts';

const REMEMBERED_ORDERS = 256;

/** Returns a function that is true the first time it sees an order. Remembers the last 256. */
export function createOrderMemory(): (directive: Directive) => boolean {
  const seen = new Set<string>();
  return (directive) => {
    const id = orderIdOf(directive);
    if (seen.has(id)) return false;
    seen.add(id);
    if (seen.size > REMEMBERED_ORDERS) {
      const [oldest] = seen;
      seen.delete(oldest!);
    }
    return true;
  };
}

export function orderIdOf(directive: Directive): string {
  if ('shed' in directive) return directive.shed.orderId;
  if ('drain' in directive) return directive.drain.orderId;
  return directive.ready.orderId;
}
