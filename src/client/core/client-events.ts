// (6) What a program sees of its client: one state at a time, and events.

/** Every state says enough to be shown to a person. */
export type ClientState =
  | { name: 'looking-up'; attempt: number }
  | { name: 'connecting'; gateway: string; url: string }
  /** Connected and subscribed. `moving` while a better gateway is being prepared in the background. */
  | { name: 'live'; gateway: string; url: string; conn: string; moving: boolean }
  | { name: 'waiting'; forMs: number; why: string }
  | { name: 'closed'; code: number; reason: string };

export interface MessageEvent {
  topic: string;
  /** Epoch of the topic's broker. Offsets grow within it. */
  epoch: string;
  offset: number;
  data: unknown;
}

export interface GapEvent {
  topic: string;
  epoch: string;
  /** Offset of the first lost message; 0 = not known. */
  from: number;
  /** Lost messages; 0 = not known. */
  count: number;
  why: string;
}

export interface ClientEvents {
  /** Each message of a topic once and in order, also across reconnects and moves. */
  message: MessageEvent;
  /** Messages that will never come. */
  gap: GapEvent;
  state: ClientState;
  /** A topic is in force. `recovered` is false when its past could not be resumed; a gap came before. */
  subscribed: { topic: string; recovered: boolean };
  /** The gateway refused a topic; it is not asked for again. */
  refused: { topic: string; code: number; message: string };
  /** A frame of an op that the client does not know, when a capability of the program is in force; unchecked. */
  frame: { op: string } & Record<string, unknown>;
  moved: { from: string; to: string };
  /** The client stopped for good: a close code that forbids to retry, or a refused request. */
  end: { code: number; reason: string };
}

const NAMES: Record<keyof ClientEvents, true> = {
  message: true,
  gap: true,
  state: true,
  subscribed: true,
  refused: true,
  frame: true,
  moved: true,
  end: true,
};
export const EVENT_NAMES: readonly string[] = Object.keys(NAMES);

/** One event as a value. */
export type ClientEvent = {
  [K in keyof ClientEvents]: { name: K; detail: ClientEvents[K] };
}[keyof ClientEvents];
