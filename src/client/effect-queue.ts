// (6) What the machine decides is done in its order, also where doing it calls the machine again.

import type { Effect, Out } from './core/effects.ts';

export interface EffectQueue {
  add: Out;
  /** Lets the machine decide, then acts. A listener that calls back in only adds to the queue. */
  run: (decide: () => void) => void;
}

export function createEffectQueue(act: (effect: Effect) => void): EffectQueue {
  const effects: Effect[] = [];
  let acting = false;
  return {
    add: (effect) => void effects.push(effect),
    run(decide) {
      decide();
      if (acting) return;
      acting = true;
      try {
        for (let effect = effects.shift(); effect; effect = effects.shift()) act(effect);
      } finally {
        acting = false;
      }
    },
  };
}
