// (6) How often a client speaks: a gateway closes the connection of one that sends more frames a second than it takes.
// Counted in ticks of a timer, so that no call of the program needs to know the time.

const PACE_TICK_MS = 250;
/** Of what the gateway takes: two clocks are never quite equal. */
const SHARE = 0.9;

export interface Pace {
  /**
   * What the gateway takes a second. So many go out at once, half of what it takes at once: the rest is for frames that
   * the network held up and brings together.
   */
  limit(perSec: number): void;
  /** Whether a frame that can wait may go out. */
  isOpen(): boolean;
  /** A frame goes out, also one that cannot wait. */
  spend(): void;
  /** The timer fired. */
  tick(): void;
}

/** `arm` starts the timer, which is not running then. */
export function createPace(arm: (afterMs: number) => void): Pace {
  let perSec = 0;
  let left = 0;
  let ticking = false;
  const goOn = (): void => {
    ticking = left < perSec;
    if (ticking) arm(PACE_TICK_MS);
  };
  return {
    limit(most) {
      perSec = most;
      left = most;
    },
    isOpen: () => left >= 1,
    spend() {
      left -= 1;
      if (!ticking) goOn();
    },
    tick() {
      left = Math.min(perSec, left + (perSec * SHARE * PACE_TICK_MS) / 1_000);
      goOn();
    },
  };
}
