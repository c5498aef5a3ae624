// A client in Node: node examples/client.mjs [herald] [topic...]
// Node 22 has a WebSocket of its own; Node 20 needs npm `ws`, which works in both.
import { connect } from 'herald/client';
import { WebSocket } from 'ws';

const [herald = 'http://127.0.0.1:7400', ...topics] = process.argv.slice(2);
const client = connect({ herald, topics: topics.length > 0 ? topics : ['news'], webSocket: WebSocket });

client.on('message', ({ topic, offset, data }) => console.log(topic, offset, JSON.stringify(data)));
client.on('gap', ({ topic, count, why }) => console.warn(`missed ${count || 'some'} of ${topic}: ${why}`));
client.on('refused', ({ topic, message }) => console.warn(`${topic} is refused: ${message}`));
client.on('state', (state) => console.error(state.name));
client.on('end', ({ code, reason }) => {
  console.error(`refused for good: ${code} ${reason}`);
  process.exitCode = 1;
});
process.on('SIGINT', () => client.close());
