// (8) A client's socket of the ws package: whose it is, what it holds of the client's, and its closing seen at its first
// moment.

import { WebSocket } from 'ws';
import type { Connection } from './connection.ts';

/** What a part of a message costs beside its bytes. */
const FRAGMENT_BYTES = 200;
const SEGMENT_BYTES = 400;

/** The package's own reader, as far as it is looked at. */
interface Receiving {
  _bufferedBytes: number;
  _messageLength: number;
  _fragments: readonly unknown[];
  _buffers: readonly unknown[];
}

export class ClientSocket extends WebSocket {
  /** Set right after the upgrade. */
  connection: Connection | undefined = undefined;

  /** Memory of what came of a message that is not whole yet. The package bounds it for each socket and does not tell it. */
  get unfinishedBytes(): number {
    const { _receiver: receiver } = this as unknown as { _receiver: Receiving | undefined };
    if (!receiver) return 0;
    const { _bufferedBytes, _messageLength, _fragments, _buffers } = receiver;
    return (
      _bufferedBytes + _messageLength + _fragments.length * FRAGMENT_BYTES + _buffers.length * SEGMENT_BYTES
    );
  }

  /** Also called by the package itself, when the client closes or breaks the protocol. */
  override close(code?: number, reason?: string | Buffer): void {
    this.connection?.closing(code ?? 1005);
    super.close(code, reason);
  }
}
