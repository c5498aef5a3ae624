// "herald/client": looks up a gateway, connects, resumes, moves. For browsers and Node.

export type { ClientEvents, ClientState, GapEvent, MessageEvent } from './client-events.ts';
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
export { PublishError } from './publish-error.ts';
export type { PublishErrorCode } from './publish-error.ts';
