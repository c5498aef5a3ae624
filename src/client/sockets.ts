// (6) The sockets of a client, by the number of their connection: opened, written to and ended as its machine says.

import type { Timers, WebSocketConstructor, WebSocketLike } from './connect-options.ts';
import { messageOf } from './message-of.ts';

/** For the gateway's answer to a close; npm `ws` would wait 30 s for one that is frozen, and Node with it. */
const FAREWELL_MS = 2_000;

export interface SocketEvents {
  opened(link: number): void;
  received(link: number, text: string): void;
  /** Once for each that was opened, unless this side closed it. */
  closed(link: number, code: number, reason: string): void;
}

export interface Sockets {
  open(link: number, url: string, protocols: string[]): void;
  /** Nothing happens when it is closed. */
  send(link: number, text: string): void;
  /** No event follows. */
  close(link: number, code: number, reason: string): void;
}

export function createSockets(
  WebSocketClass: WebSocketConstructor,
  timers: Timers,
  events: SocketEvents,
): Sockets {
  const sockets = new Map<number, WebSocketLike>();
  return {
    open(link, url, protocols) {
      const closed = (code: number, reason: string): void => {
        if (sockets.delete(link)) events.closed(link, code, reason);
      };
      let socket: WebSocketLike;
      try {
        socket = new WebSocketClass(url, protocols);
      } catch (error) {
        // A page on https may not open ws:, for one.
        timers.setTimeout(() => events.closed(link, 1006, messageOf(error)), 0);
        return;
      }
      sockets.set(link, socket);
      let isOpen = false;
      socket.onopen = () => {
        isOpen = true;
        if (sockets.has(link)) events.opened(link);
      };
      socket.onmessage = ({ data }: { data?: unknown }) => {
        if (typeof data === 'string' && sockets.has(link)) events.received(link, data);
      };
      socket.onclose = ({ code = 1006, reason = '' }: { code?: number; reason?: string }) =>
        closed(code, reason);
      // Node 22 fires no close after a failed handshake; after an open one, close follows with the real code. Browsers
      // do not say why.
      socket.onerror = ({ message }: { message?: unknown }) => {
        if (!isOpen) closed(1006, typeof message === 'string' && message !== '' ? message : 'cannot connect');
      };
    },
    send: (link, text) => sockets.get(link)?.send(text),
    close(link, code, reason) {
      const socket = sockets.get(link);
      if (!socket || !sockets.delete(link)) return;
      if (socket.terminate) {
        const farewell = timers.setTimeout(() => socket.terminate?.(), FAREWELL_MS);
        socket.onclose = () => timers.clearTimeout(farewell);
      }
      // A reason may have 123 bytes (RFC 6455 section 5.5).
      socket.close(code, reason.slice(0, 100));
    },
  };
}
