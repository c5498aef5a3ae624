// Clients that subscribe to one topic and read what comes, a few connecting at a time.

import { once } from 'node:events';
import { WebSocket } from 'ws';
import { answerLines, tell } from '../role/answer-lines.ts';
import type { ClientsOrder } from './words.ts';

const AT_A_TIME = 8;
const { url } = JSON.parse(process.argv[2]!) as { url: string };

tell({});
answerLines(async ({ connect }: ClientsOrder) => {
  let left = connect;
  const some = async (): Promise<void> => {
    while (left-- > 0) await open();
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, some));
  return {};
});
process.on('SIGTERM', () => process.exit(0));

async function open(): Promise<void> {
  // A session taken up again would be cheaper than what a stranger costs.
  const options = { perMessageDeflate: false, rejectUnauthorized: false, skipUTF8Validation: true };
  const ws = new WebSocket(url, ['herald.v1.json'], options);
  await once(ws, 'open');
  ws.send(JSON.stringify({ op: 'hello', v: 1 }));
  ws.send(JSON.stringify({ op: 'sub', id: 1, c: ['all'] }));
  await once(ws, 'message');
}
