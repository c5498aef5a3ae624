// Keeps at most `maxInFlight` operations under way and a bounded line behind them: the client package parses
// in quadratic time when thousands of answers arrive at once (40,000 blocked the loop for 8 s).

export interface OperationGate {
  /** Starts `start` now, or when a place is free; false when the line is full: then it never starts. */
  enter(start: () => void): boolean;
  /** Gives up a place in the line; false when it had started (or was never in it). */
  abandon(start: () => void): boolean;
  /** To be called once for each started operation when it is over. */
  leave(): void;
  inFlight(): number;
  waiting(): number;
}

export function operationGate(maxInFlight: number, maxWaiting: number): OperationGate {
  const line = new Set<() => void>();
  let inFlight = 0;

  return {
    enter(start) {
      if (inFlight < maxInFlight) {
        inFlight += 1;
        start();
        return true;
      }
      if (line.size >= maxWaiting) return false;
      line.add(start);
      return true;
    },
    abandon: (start) => line.delete(start),
    leave() {
      const [next] = line;
      if (!next) {
        inFlight -= 1;
        return;
      }
      line.delete(next);
      next();
    },
    inFlight: () => inFlight,
    waiting: () => line.size,
  };
}
