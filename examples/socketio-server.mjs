// A Socket.IO server that Herald can balance: node examples/socketio-server.mjs [port] [herald control URL]
// How its clients look up is in docs/applications.md.
import { createServer } from 'node:http';
import { startReporter } from 'herald/reporter';
import { Server } from 'socket.io';

const [port = '9002', herald = 'http://127.0.0.1:7401'] = process.argv.slice(2);

const http = createServer();
// By long polling, each request of a client could reach another server.
const io = new Server(http, { transports: ['websocket'] });

let acceptedTotal = 0;
let leaving = [];
/** Connections by the Herald that sent them: what its tickets in flight are reconciled with. */
const tickets = {};

io.engine.on('connection', () => (acceptedTotal += 1));

http.listen(Number(port), '127.0.0.1', () => {
  const { port: bound } = http.address();
  const reporter = startReporter({
    heralds: [herald],
    gateway: `socketio-${bound}`,
    // Without a path: to Socket.IO that is a namespace.
    url: `ws://127.0.0.1:${bound}`,
    // Not among the gateways of `npm start`: clients of those speak another protocol.
    pool: 'own',
    counters: () => ({ connections: io.engine.clientsCount, acceptedTotal, tickets }),
    onDirective(order) {
      if (!('shed' in order)) {
        reporter.setState('drain' in order ? 'draining' : 'up');
        for (const timer of leaving) clearTimeout(timer);
        leaving = [];
      }
      const { spreadMs, count = Infinity } = order.drain ?? order.shed ?? { count: 0 };
      // The sockets of this process: io.disconnectSockets() and io.fetchSockets() mean those of all servers of an adapter.
      const sockets = [...io.sockets.sockets.values()].slice(0, count);
      sockets.forEach((socket, i) => {
        leaving.push(setTimeout(() => socket.disconnect(true), (spreadMs * i) / sockets.length));
      });
    },
  });
  io.on('connection', (socket) => {
    const [, heraldId] =
      /^t1\.(.+)\.[0-9a-z]+\.[0-9a-z]+\.[\w-]+$/.exec(socket.handshake.auth.ticket ?? '') ?? [];
    // Anybody can make up a ticket: count those of Heralds there are.
    if (reporter.ticketClockOffsetMs(heraldId) !== undefined)
      (tickets[heraldId] ??= { admitted: 0 }).admitted += 1;
    socket.on('say', (data) => socket.emit('said', data));
  });
  console.log(`socketio-${bound} reports to ${herald}`);
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => void reporter.close().then(() => io.close(() => process.exit(0))));
  }
});
