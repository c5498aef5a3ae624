// (5) The agent-check listener: HAProxy connects, names a server, gets one full line and the connection
// ends. Slow askers are cut after a second; idle ones cost a socket each and nothing else. When all places are
// taken the oldest connection goes: HAProxy sends its line as it connects and is answered at once, so it is never that one.

import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import type { Address } from '../../daemon/address.ts';
import { boundAddress, formatAddress } from '../../daemon/address.ts';
import { withinRoom } from '../../daemon/descriptors.ts';
import { listening } from '../../daemon/lifecycle.ts';
import type { AgentAnswer, AgentRequest } from '../../protocol/agent-check.ts';
import { AGENT_CHECK_LIMITS, decodeAgentRequest, encodeAgentAnswer } from '../../protocol/agent-check.ts';

export interface AgentCheckOptions {
  /** Answers for what HAProxy named, well within `AGENT_CHECK_LIMITS.deadlineMs`. Must not throw or reject. */
  answer: (request: AgentRequest) => AgentAnswer | Promise<AgentAnswer>;
  allowed: (peer: string | undefined) => boolean;
  /** Told once a connection: the admin word sent, or why none was. */
  onEnd: (outcome: AgentOutcome) => void;
  /** Set for a port that speaks for one gateway: it answers at once, whatever is sent. */
  fixed?: AgentRequest;
  /** Who is meant when nothing was said for a moment, or nothing that names anybody; unset = such are cut. */
  otherwise?: AgentRequest;
  maxConnections?: number;
}

export type AgentOutcome = AgentAnswer['admin'] | 'down' | 'refused' | 'malformed' | 'slow' | 'crowded';

export interface AgentCheckServer {
  address: Address;
  close(): Promise<void>;
}

/** Above what any HAProxy opens at once, below what would starve lookups of descriptors. */
const MAX_CONNECTIONS = 4_096;
/** Who sends an agent-send line sends it with its connect; a loaded network may take this long. */
const SPEAK_MS = 150;

export async function startAgentCheck(
  address: Address,
  flag: string,
  options: AgentCheckOptions,
): Promise<AgentCheckServer> {
  const { maxConnections = withinRoom(MAX_CONNECTIONS, 1 / 8) } = options;
  /** In the order of their coming, each with how to end it. */
  const sockets = new Map<Socket, () => void>();
  const server = createServer({ noDelay: true }, (socket) => {
    const [longest] = sockets.size >= maxConnections ? sockets.values() : [];
    longest?.();
    sockets.set(socket, serve(socket, options));
    socket.once('close', () => sockets.delete(socket));
  });
  await listening(listen(server, address), formatAddress(address), flag);
  // A connection that could not be taken (no descriptor left, no memory) is lost, and nothing else.
  server.on('error', () => options.onEnd('refused'));
  return {
    address: boundAddress(address, server),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets.keys()) socket.destroy();
      }),
  };
}

function listen(server: Server, { host, port }: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog: 1_024 }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Serves one connection; what comes back ends it at once, to make room. */
function serve(socket: Socket, options: AgentCheckOptions): () => void {
  // A peer that resets its connection is its own business.
  socket.on('error', () => socket.destroy());
  if (!options.allowed(socket.remoteAddress)) {
    options.onEnd('refused');
    socket.destroy();
    return () => {};
  }
  let received = '';
  let over = false;
  const cut = (outcome: AgentOutcome): void => {
    finish(outcome);
    // Also for a peer that got its line and then holds its half open.
    socket.destroy();
  };
  const makeRoom = (): void => cut('crowded');
  const deadline = setTimeout(() => cut('slow'), AGENT_CHECK_LIMITS.deadlineMs);
  socket.once('close', () => clearTimeout(deadline));

  const finish = (outcome: AgentOutcome, line?: string): void => {
    if (over) return;
    over = true;
    options.onEnd(outcome);
    if (line === undefined) socket.destroy();
    // Bytes left unread would turn the close into a reset that can overtake the answer.
    else socket.resume().end(line, 'latin1');
  };
  const say = (answer: AgentAnswer): void =>
    finish(answer.health === 'down' ? 'down' : answer.admin, encodeAgentAnswer(answer));
  let asked = false;
  const answer = (request: AgentRequest): void => {
    if (asked) return;
    asked = true;
    const answered = options.answer(request);
    if (answered instanceof Promise) void answered.then(say);
    else say(answered);
  };

  const { fixed, otherwise } = options;
  if (fixed) {
    answer(fixed);
    return makeRoom;
  }
  if (otherwise) {
    const unspoken = setTimeout(() => answer(otherwise), SPEAK_MS);
    socket.once('close', () => clearTimeout(unspoken));
  }
  socket.setEncoding('latin1');
  socket.on('data', (chunk: string) => {
    if (asked || over) return;
    received += chunk;
    const end = received.indexOf('\n');
    if (end < 0 && received.length <= AGENT_CHECK_LIMITS.maxRequestBytes) return;
    const request = end < 0 ? undefined : decodeAgentRequest(received.slice(0, end));
    if (request?.ok) answer(request.value);
    else if (otherwise) answer(otherwise);
    else finish('malformed');
  });
  return makeRoom;
}
