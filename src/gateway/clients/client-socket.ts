// (8) A client's socket of the ws package: whose it is, what it holds of the client's, and its closing seen at its first
// moment.

import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import type { Connection } from './connection.ts';

/** What a chunk that was read costs beside its bytes, and a part of a message that lies in it. */
const CHUNK_BYTES = 400;
const FRAGMENT_BYTES = 130;

/** The package's own reader, as far as it is looked at. */
interface Receiving {
  _compressed: boolean;
  _messageLength: number;
  _fragments: readonly unknown[];
  _buffers: readonly unknown[];
}

const OWNER = Symbol('client');

interface OwnedSocket extends Socket {
  [OWNER]?: ClientSocket;
}

export class ClientSocket extends WebSocket {
  /** Set right after the upgrade. */
  connection: Connection | undefined = undefined;
  /** Chunks that what came of a message which is not whole yet keeps alive, each of them as a whole. */
  #chunkBytes = 0;

  /** Looks at each chunk once the package has read it. */
  watch(socket: OwnedSocket): void {
    socket[OWNER] = this;
    socket.on('data', noteChunk);
  }

  /** Memory of what came of a message that is not whole yet. The package bounds it for each socket and does not tell it. */
  get unfinishedBytes(): number {
    const receiver = this.#receiver;
    if (!receiver) return 0;
    const { _compressed, _messageLength, _fragments } = receiver;
    return this.#chunkBytes + _fragments.length * FRAGMENT_BYTES + (_compressed ? _messageLength : 0);
  }

  took(chunkBytes: number): void {
    const receiver = this.#receiver;
    if (!receiver) return;
    const parts = receiver._fragments.length + receiver._buffers.length;
    if (parts === 0 && this.#chunkBytes === 0) return;
    // One part that is no fragment is the end of this very chunk.
    const keepsOlder = receiver._fragments.length > 0 || parts > 1;
    this.#chunkBytes = parts === 0 ? 0 : chunkBytes + CHUNK_BYTES + (keepsOlder ? this.#chunkBytes : 0);
    this.connection?.keeps(this.unfinishedBytes);
  }

  get #receiver(): Receiving | undefined {
    return (this as unknown as { _receiver: Receiving | undefined })._receiver;
  }

  /** Also called by the package itself, when the client closes or breaks the protocol. */
  override close(code?: number, reason?: string | Buffer): void {
    this.connection?.closing(code ?? 1005);
    super.close(code, reason);
  }
}

/** Shared by all sockets: a closure for each would cost more. */
function noteChunk(this: OwnedSocket, chunk: Buffer): void {
  this[OWNER]?.took(chunk.length);
}
