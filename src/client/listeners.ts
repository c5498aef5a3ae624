// (6) Which functions of the program hear which events of its client.

import { shown } from '../protocol/decode.ts';
import type { ClientEvent, ClientEvents } from './core/client-events.ts';
import { EVENT_NAMES } from './core/client-events.ts';
import type { Client } from './connect-options.ts';

export interface Listeners {
  /** Throws a TypeError for what is no event and for what is no function. */
  on: Client['on'];
  tell(event: ClientEvent): void;
}

/** `surface` gets what a listener throws; the others hear the event all the same. */
export function createListeners(surface: (error: unknown) => void): Listeners {
  const listeners = new Map<keyof ClientEvents, Set<(detail: never) => void>>();

  return {
    on(name, listener) {
      if (!EVENT_NAMES.includes(name)) {
        throw new TypeError(`there is no event ${shown(name)}: expected one of ${EVENT_NAMES.join(', ')}`);
      }
      if (typeof listener !== 'function') {
        throw new TypeError(`on(${shown(name)}): received ${shown(listener)}, expected a function`);
      }
      const ofName = listeners.get(name) ?? new Set();
      listeners.set(name, ofName);
      ofName.add(listener);
      return () => void ofName.delete(listener);
    },
    tell({ name, detail }) {
      const ofName = listeners.get(name);
      // Those of now: one that is added meanwhile hears the next event, not this one.
      for (const listener of [...(ofName ?? [])]) {
        if (!ofName?.has(listener)) continue;
        try {
          (listener as (detail: unknown) => void)(detail);
        } catch (error) {
          surface(error);
        }
      }
    },
  };
}
