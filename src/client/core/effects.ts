// (6) What the pure part of the client asks its edge to do. Nothing here knows of sockets or clocks.

import type { ClientEvent } from './client-events.ts';
import type { PublishProblem } from './publish-error.ts';

/** `link:<n>` watches connection n, `pace:<n>` lets it send again; the others exist once. */
export type TimerName = 'acquire' | 'move' | 'handover' | 'resubscribe' | `${'link' | 'pace'}:${number}`;

export type Effect =
  /** GET this URL; answer with `lookedUp(ask, ...)`. */
  | { do: 'lookup'; ask: number; url: string }
  | { do: 'open'; link: number; url: string; protocols: string[] }
  | { do: 'send'; link: number; text: string }
  /** No event of this link is wanted afterwards. */
  | { do: 'close'; link: number; code: number; reason: string }
  /** Replaces a timer of that name; undefined ends it. */
  | { do: 'timer'; name: TimerName; afterMs: number | undefined }
  | { do: 'emit'; event: ClientEvent }
  /** Ends the promise of publish number `publish`. */
  | { do: 'settle'; publish: number; problem?: PublishProblem };

export type Out = (effect: Effect) => void;
