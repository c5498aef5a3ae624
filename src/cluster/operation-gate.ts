// Keeps at most `maxInFlight` operations under way and a bounded line behind them: the client package parses
// in quadratic time when thousands of answers arrive at once (40,000 blocked the loop for 8 s).

/** Where an operation stands in the line. */
export interface Place {
  /** False once it has started or was abandoned. */
  waiting: boolean;
}

export interface OperationGate {
  /** Starts `start` now, or when a place is free; undefined when the line is full: then it never starts. */
  enter(start: () => void): Place | undefined;
  /** Leaves the line without having started; false when it had started. */
  abandon(place: Place): boolean;
  /** To be called once for each started operation when it is over. */
  leave(): void;
  inFlight(): number;
  waiting(): number;
}

export function operationGate(maxInFlight: number, maxWaiting: number): OperationGate {
  let line: (Place & { start: () => void })[] = [];
  let head = 0;
  let waiting = 0;
  let inFlight = 0;

  return {
    enter(start) {
      if (inFlight < maxInFlight) {
        inFlight += 1;
        start();
        return { waiting: false };
      }
      if (waiting >= maxWaiting) return undefined;
      const place = { waiting: true, start };
      line.push(place);
      waiting += 1;
      return place;
    },
    abandon(place) {
      if (!place.waiting) return false;
      place.waiting = false;
      waiting -= 1;
      return true;
    },
    leave() {
      while (head < line.length) {
        const next = line[head++]!;
        if (head > 1_024 && head * 2 > line.length) {
          line = line.slice(head);
          head = 0;
        }
        if (!next.waiting) continue;
        next.waiting = false;
        waiting -= 1;
        next.start();
        return;
      }
      line = [];
      head = 0;
      inFlight -= 1;
    },
    inFlight: () => inFlight,
    waiting: () => waiting,
  };
}
