// The recent past for `GET /v1/audit`: what operators did, and how lookups ended in each of the last 60
// seconds. Both are rings; nothing grows with traffic.

export interface OperatorAction {
  /** RFC 3339. */
  at: string;
  author: string;
  action: string;
  /** For the mover its pool; empty = all. */
  gateway: string;
  reason: string;
  /** RFC 3339, empty = for good. */
  until: string;
}

export interface TrafficSecond {
  /** RFC 3339, the start of the second. */
  at: string;
  outcomes: Record<string, number>;
}

export interface TrafficLog {
  acted(action: OperatorAction): void;
  /** Counts one lookup's end. */
  lookedUp(outcome: string): void;
  /** Closes the current second. Called once a second. */
  roll(epochMs: number): void;
  actions(): OperatorAction[];
  seconds(): TrafficSecond[];
}

const MAX_ACTIONS = 1_000;
const MAX_SECONDS = 60;

export function createTrafficLog(): TrafficLog {
  const actions: OperatorAction[] = [];
  const seconds: TrafficSecond[] = [];
  const current = new Map<string, number>();
  return {
    acted(action) {
      actions.push(action);
      if (actions.length > MAX_ACTIONS) actions.shift();
    },
    lookedUp(outcome) {
      current.set(outcome, (current.get(outcome) ?? 0) + 1);
    },
    roll(epochMs) {
      seconds.push({ at: new Date(epochMs).toISOString(), outcomes: Object.fromEntries(current) });
      if (seconds.length > MAX_SECONDS) seconds.shift();
      current.clear();
    },
    actions: () => actions.slice().reverse(),
    seconds: () => seconds.slice(),
  };
}
