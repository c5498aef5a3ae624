// (6) What a client shows of itself, in one word and what belongs to it.

import type { Acquirer } from './acquirer.ts';
import type { ClientState } from './client-events.ts';
import type { Session } from './session-port.ts';

export interface Ended {
  code: number;
  reason: string;
}

interface Standing {
  ended: Ended | undefined;
  /** The connection in use. */
  current: Pick<Session, 'phase' | 'pick' | 'conn'> | undefined;
  isMoving: boolean;
  acquirer: Pick<Acquirer, 'phase' | 'attempt'>;
}

export function stateOf({ ended, current, isMoving, acquirer }: Standing): ClientState {
  if (ended) return { name: 'closed', ...ended };
  if (current?.phase() === 'live') {
    const { gateway, url } = current.pick;
    return { name: 'live', gateway, url, conn: current.conn(), moving: isMoving };
  }
  const phase = acquirer.phase();
  switch (phase.name) {
    case 'waiting':
      return { name: 'waiting', forMs: phase.forMs, why: phase.why };
    case 'trying':
      return { name: 'connecting', gateway: phase.pick.gateway, url: phase.pick.url };
    case 'idle':
    case 'asking':
      return { name: 'looking-up', attempt: acquirer.attempt() };
  }
}
