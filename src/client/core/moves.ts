// (6) Orders to move: the client leaves its gateway at a random time within the spread of the order. It obeys one at a
// time; what the connection to be orders while it is subscribing waits until that is the one in use.

import type { MoveOrder } from '../../protocol/client-frames.ts';
import type { Acquirer } from './acquirer.ts';
import type { ConnectionPair } from './connection-pair.ts';
import type { Out } from './effects.ts';
import type { HeraldRota } from './herald-rota.ts';
import type { Session } from './session-port.ts';

export interface MovesParts {
  pair: ConnectionPair;
  acquirer: Acquirer;
  rota: HeraldRota;
  random: () => number;
  out: Out;
  /** An order is obeyed from now on. */
  onBegin: () => void;
}

export interface Moves {
  /** An order is being obeyed. */
  underWay(): boolean;
  /** `session` was given an order. */
  ordered(session: Session, order: MoveOrder): void;
  /** Its time has come: asks for another gateway. */
  go(nowMs: number): void;
  /** Another connection to be: what an earlier one was ordered does not count. */
  forgetEarly(): void;
  /** `session` is the one in use now. */
  tookOver(session: Session): void;
  /** The order is obeyed, or nothing comes of it. */
  end(): void;
}

export function createMoves(parts: MovesParts): Moves {
  const { pair, acquirer, rota, random, out } = parts;
  let obeyed: MoveOrder | undefined;
  let early: MoveOrder | undefined;

  const ordered = (session: Session, order: MoveOrder): void => {
    if (session === pair.next()) early = order;
    if (session !== pair.current() || obeyed) return;
    obeyed = order;
    if (order.lookup !== undefined) rota.add(order.lookup);
    // Orders one after the other: whoever gives them, Herald is not asked in a circle.
    const pauseMs = acquirer.attempt() > 0 ? acquirer.delayMs() : 0;
    out({ do: 'timer', name: 'move', afterMs: Math.max(pauseMs, Math.round(random() * order.spreadMs)) });
    parts.onBegin();
  };

  return {
    underWay: () => obeyed !== undefined,
    ordered,
    go(nowMs) {
      const current = pair.current();
      if (!obeyed || !current || pair.next()) return;
      const optional = obeyed.why === 'balance';
      acquirer.begin({ intent: 'move', avoid: [current.pick.gateway], optional }, 0, 'move', nowMs);
    },
    forgetEarly: () => void (early = undefined),
    tookOver(session) {
      if (early) ordered(session, early);
    },
    end() {
      obeyed = undefined;
      out({ do: 'timer', name: 'move', afterMs: undefined });
    },
  };
}
