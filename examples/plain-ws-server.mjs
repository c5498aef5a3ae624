// Any `ws` server as a gateway that Herald can balance: node examples/plain-ws-server.mjs [port] [herald control URL]
import { startReporter } from 'herald/reporter';
import { WebSocketServer } from 'ws';

const [port = '9001', herald = 'http://127.0.0.1:7401'] = process.argv.slice(2);

let acceptedTotal = 0;
const leaving = [];
/** Connections by the Herald that sent them: what its tickets in flight are reconciled with. */
const tickets = {};

const server = new WebSocketServer({
  port: Number(port),
  host: '127.0.0.1',
  maxPayload: 64 * 1024,
  // Clients of herald/client offer `herald.ticket.<ticket>` beside the protocol they speak.
  handleProtocols: (offered) => [...offered].find((name) => !name.startsWith('herald.ticket.')) ?? false,
});
server.on('listening', () => {
  const { port: bound } = server.address();
  const reporter = startReporter({
    heralds: [herald],
    gateway: `plain-${bound}`,
    url: `ws://127.0.0.1:${bound}/`,
    // Not among the gateways of `npm start`: clients of those speak another protocol.
    pool: 'own',
    counters: () => ({ connections: server.clients.size, acceptedTotal, tickets }),
    // Herald asks this server to shed some clients, or to drain. A plain server closes them and they look up again: one
    // by one, or all would be back at once.
    onDirective(order) {
      if ('ready' in order) for (const timer of leaving.splice(0)) clearTimeout(timer);
      if (!('shed' in order)) reporter.setState('drain' in order ? 'draining' : 'up');
      const { spreadMs, count = server.clients.size } = order.drain ?? order.shed ?? { count: 0 };
      [...server.clients].slice(0, count).forEach((socket, i) => {
        leaving.push(setTimeout(() => socket.close(4200, 'moved'), (spreadMs * i) / count));
      });
    },
  });
  server.on('connection', (socket, request) => {
    acceptedTotal += 1;
    const [, heraldId] =
      /herald\.ticket\.t1\.(.+)\.[0-9a-z]+\.[0-9a-z]+\.[\w-]+/.exec(
        request.headers['sec-websocket-protocol'] ?? '',
      ) ?? [];
    // Anybody can make up a ticket: count those of Heralds there are.
    if (reporter.ticketClockOffsetMs(heraldId) !== undefined)
      (tickets[heraldId] ??= { admitted: 0 }).admitted += 1;
    socket.on('message', (data) => socket.send(data.toString()));
  });
  console.log(`plain-${bound} reports to ${herald}`);
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => {
      reporter.close().then(() => {
        for (const socket of server.clients) socket.close(4204, 'shutdown');
        server.close(() => process.exit(0));
      });
    });
  }
});
