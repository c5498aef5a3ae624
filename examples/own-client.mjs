// A client of your own servers, in a protocol of your own (here plain-ws-server.mjs): node examples/own-client.mjs [herald]
// It asks Herald before each connection: where it was best to be an hour ago it may be worst now.
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';

const [herald = 'http://127.0.0.1:7400'] = process.argv.slice(2);
/** When a server could not be reached; Herald is told of it for 30 s, and names others. */
const failedAtMs = new Map();

/** Servers, the best first. While none may take a client there is none, but the time of this client's own next turn. */
async function whereTo() {
  for (const [gateway, atMs] of failedAtMs) if (Date.now() - atMs > 30_000) failedAtMs.delete(gateway);
  const exclude = [...failedAtMs.keys()].slice(-16).map((gateway) => ['exclude', gateway]);
  const url = `${herald}/v1/lookup?${new URLSearchParams([['pool', 'own'], ...exclude])}`;
  const answer = await fetch(url, { cache: 'no-store', signal: AbortSignal.timeout(5_000) });
  const { alternates = [], retryAfterMs, detail, ...best } = await answer.json();
  if (answer.ok) return { picks: [best, ...alternates] };
  console.error(detail);
  // Better one that failed a moment ago than none.
  failedAtMs.clear();
  return { picks: [], retryAfterMs };
}

/** Until the connection ends: how long it lived, or undefined when there never was one. */
function live({ gateway, url, ticket }) {
  return new Promise((resolve) => {
    // By the ticket Herald sees who arrives. A browser needs a protocol beside it, which the server can choose.
    const socket = new WebSocket(url, ['echo', `herald.ticket.${ticket}`], { handshakeTimeout: 10_000 });
    let openedMs;
    socket.on('open', () => {
      openedMs = performance.now();
      console.log(`connected to ${gateway}`);
      socket.send('hello');
    });
    socket.on('message', (data) => console.log(String(data)));
    socket.on('error', ({ message }) => console.error(`${gateway}: ${message}`));
    socket.on('close', () => resolve(openedMs && performance.now() - openedMs));
  });
}

for (let attempt = 0; ; attempt += 1) {
  const { picks, retryAfterMs } = await whereTo().catch(({ message }) => {
    console.error(`no Herald answers: ${message}`);
    return { picks: [] };
  });
  for (const pick of picks) {
    const livedMs = await live(pick);
    if (livedMs > 5_000) attempt = 0;
    if (livedMs !== undefined) break;
    failedAtMs.set(pick.gateway, Date.now());
  }
  // A random time below a limit that grows: all who lost the same server must not come back in the same instant.
  await sleep(retryAfterMs ?? Math.random() * Math.min(20_000, 1_000 * 2 ** attempt));
}
