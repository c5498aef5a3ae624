// (8) Where every message went. What came in for a topic is fanned out to so many subscribers (`due`), and
// each of those deliveries ends in exactly one of the other columns or still waits.

export type DropCause = 'closed' | 'slow-consumer';

export interface Ledger {
  /** Messages from the brokers for topics known here. */
  received: number;
  /** Of those, messages that nobody here was subscribed to. */
  unheard: number;
  /** Deliveries owed: for each message and each gap frame, its subscribers at that moment. */
  due: number;
  /** Deliveries handed to a socket. */
  delivered: number;
  dropped: Record<DropCause, number>;
  /** Messages replayed to clients that resumed, and last values sent on subscribe; not part of `due`. */
  replayed: number;
  /** Messages the brokers said are lost, times the subscribers who were to get them. */
  gapMessages: number;
  gapFrames: number;
}

export function createLedger(): Ledger {
  return {
    received: 0,
    unheard: 0,
    due: 0,
    delivered: 0,
    dropped: { closed: 0, 'slow-consumer': 0 },
    replayed: 0,
    gapMessages: 0,
    gapFrames: 0,
  };
}
