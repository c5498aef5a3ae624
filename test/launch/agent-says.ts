// Asks an agent-check port as HAProxy does: connects, sends a line or nothing, reads until the other end hangs up.

import { once } from 'node:events';
import { connect } from 'node:net';

/** What the agent says; empty when it hangs up without a word. */
export async function agentSays(port: number, line = '', host = '127.0.0.1'): Promise<string> {
  const socket = connect(port, host);
  socket.on('error', () => {});
  let answer = '';
  socket.on('data', (bytes) => (answer += bytes.toString()));
  if (line !== '') socket.write(line);
  await once(socket, 'close');
  return answer;
}
