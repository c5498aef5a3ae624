// Connects a ZeroMQ socket for good. The library tries again where a connection failed or broke, but gives up for ever on
// a peer whose handshake it does not understand: a broker that was once started without its keys would be lost.

import type { Dealer, XSubscriber } from 'zeromq';

const AGAIN_MS = 1_000;

/** `onRefused` hears, each time, why the peer was there and no connection came of it. */
export function keepConnecting(
  socket: Dealer | XSubscriber,
  endpoint: string,
  onRefused: (why: string) => void,
): void {
  socket.events.on('handshake:error:protocol', () => {
    onRefused('one side encrypts and the other does not, or it is no broker');
    setTimeout(() => {
      if (socket.closed) return;
      socket.disconnect(endpoint);
      socket.connect(endpoint);
    }, AGAIN_MS).unref();
  });
  socket.events.on('handshake:error:other', () => onRefused('it ends the handshake: other CURVE keys?'));
  socket.connect(endpoint);
}
