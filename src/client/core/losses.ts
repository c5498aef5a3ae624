// (6) A connection that is lost: the client goes back to its gateway, looks up another one, tries the next it was named,
// or stops. What it shall do is decided in after-loss.ts.

import { closeBand } from '../../protocol/close-codes.ts';
import type { LookupPick } from '../../protocol/lookup.ts';
import type { Acquirer } from './acquirer.ts';
import { afterLoss } from './after-loss.ts';
import type { ConnectionPair } from './connection-pair.ts';
import type { Moves } from './moves.ts';
import type { Session } from './session-port.ts';

/**
 * After a connection is lost, the first lookup comes at a random time within this: a gateway that dies takes
 * thousands of connections with it, and Herald shall see them as a stream and not as a blow.
 */
export const LOST_SPREAD_MS = 1_000;

export interface LossesParts {
  pair: ConnectionPair;
  acquirer: Acquirer;
  moves: Moves;
  random: () => number;
  /** For good. */
  stop: (code: number, reason: string) => void;
  showState: () => void;
}

export interface Losses {
  /** `session` closed with `code`, or was given up. */
  lost(session: Session, code: number, reason: string, nowMs: number): void;
}

export function createLosses({ pair, acquirer, moves, random, stop, showState }: LossesParts): Losses {
  const tryNextPick = (pick: LookupPick, why: string, nowMs: number): void => {
    acquirer.pickFailed(pick, why, nowMs);
    pair.current()?.sendWaiting();
    showState();
  };

  const insist = (): void => {
    // What was held back for the old one goes on now.
    moves.end();
    acquirer.insist();
    pair.hasten();
    showState();
  };

  const goBack = (pick: LookupPick, why: string, nowMs: number): void => {
    // The ticket was used once already; a gateway that insists on one answers 4203 and Herald is asked.
    const first = { ...pick, ticket: '' };
    moves.end();
    acquirer.begin({ intent: 'resume', first }, acquirer.delayMs(), why, nowMs);
  };

  const lookUp = (why: string, nowMs: number): void => {
    const spreadMs = Math.max(acquirer.delayMs(), Math.round(random() * LOST_SPREAD_MS));
    moves.end();
    acquirer.begin({ intent: 'resume' }, spreadMs, why, nowMs);
  };

  return {
    lost(session, code, reason, nowMs) {
      const which = pair.remove(session);
      if (which === undefined) return;
      if (which === 'current') acquirer.lasted(session.livedMs(nowMs));
      const why = reason === '' ? `closed with ${code}` : reason;
      const hasCurrent = pair.current() !== undefined;
      const isAcquiring = acquirer.phase().name !== 'idle';
      switch (afterLoss({ which, band: closeBand(code), hasCurrent, isAcquiring })) {
        case 'stop':
          stop(code, reason || 'refused by the gateway');
          return;
        case 'next-pick':
          tryNextPick(session.pick, why, nowMs);
          return;
        case 'insist':
          insist();
          return;
        case 'return':
          goBack(session.pick, why, nowMs);
          return;
        case 'look-up':
          lookUp(why, nowMs);
      }
    },
  };
}
