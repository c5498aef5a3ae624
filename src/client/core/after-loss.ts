// (6) What a client does about a connection that is lost.

import type { CloseBand } from '../../protocol/close-codes.ts';

export interface Loss {
  /** The connection in use, or the one that was to replace it or to be the first. */
  which: 'current' | 'next';
  /** What its close code asks for. */
  band: CloseBand;
  /** Another connection is in use. */
  hasCurrent: boolean;
  /** A gateway is being looked for already: a move was under way. */
  isAcquiring: boolean;
}

export type AfterLoss =
  /** For good: whoever comes with the same again is refused again. */
  | 'stop'
  /** The next of the gateways that Herald named. */
  | 'next-pick'
  /** The move becomes the way back. */
  | 'insist'
  /** The same gateway again. */
  | 'return'
  | 'look-up';

export function afterLoss({ which, band, hasCurrent, isAcquiring }: Loss): AfterLoss {
  if (which === 'next') return band === 'stop' && !hasCurrent ? 'stop' : 'next-pick';
  if (band === 'stop') return 'stop';
  if (isAcquiring) return 'insist';
  return band === 'retry' ? 'return' : 'look-up';
}
