// "herald/client": looks up a gateway, connects, resumes, moves. For browsers and Node.

export type { ClientEvents, ClientState, GapEvent, MessageEvent } from './core/client-events.ts';
export type {
  Client,
  ConnectOptions,
  FetchAnswer,
  FetchLike,
  Timers,
  TopicWish,
  WebSocketConstructor,
  WebSocketLike,
} from './connect-options.ts';
export { connect } from './connect.ts';
export { PublishError } from './core/publish-error.ts';
export type { PublishErrorCode } from './core/publish-error.ts';
