// The floor of the benchmark: bare ZeroMQ from one process to another, so many payloads a ZeroMQ message.
// As `receive` it counts; as `send` it is driven by the parent.

import { Pull, Push } from 'zeromq';
import { answerLines, cpuMs, tell } from '../role/answer-lines.ts';

const { role, payloadBytes, perMessage, endpoint } = JSON.parse(process.argv[2]!) as {
  role: 'send' | 'receive';
  payloadBytes: number;
  perMessage: number;
  endpoint: string;
};

if (role === 'receive') {
  const socket = new Pull({ receiveHighWaterMark: 2_000 });
  await socket.bind('tcp://127.0.0.1:*');
  tell(socket.lastEndpoint);
  let received = 0;
  answerLines(() => ({ cpuMs: cpuMs(), received }));
  for await (const [frame] of socket) received += frame!.length / payloadBytes;
} else {
  const socket = new Push({ sendHighWaterMark: 2_000 });
  socket.connect(endpoint);
  const frame = Buffer.alloc(payloadBytes * perMessage, 'x');
  tell('ready');
  answerLines((question: 'cpu' | number) => {
    if (question === 'cpu') return { cpuMs: cpuMs() };
    void (async () => {
      for (let sent = 0; sent < question; sent += perMessage) await socket.send(Buffer.from(frame));
    })();
    return 'sending';
  });
}
