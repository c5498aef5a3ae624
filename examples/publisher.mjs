// A back end that publishes once a second: node examples/publisher.mjs [topic] [herald control URL]
import { createPublisher } from 'herald/publisher';

const [topic = 'news', herald = 'http://127.0.0.1:7401'] = process.argv.slice(2);
// One for the life of the process: it finds the brokers, and sends to another one what a dead one had not passed on.
const publisher = await createPublisher({ heralds: [herald] });

let count = 0;
const timer = setInterval(() => {
  count += 1;
  publisher.publish(topic, { count, at: new Date() }).then(
    () => console.log(`published to ${topic}`),
    // Its code says whether to try again: `timeout` and `queue-full` may, `bad-topic` may not.
    (error) => console.error(`${error.code}: ${error.message}`),
  );
}, 1_000);

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    clearInterval(timer);
    await publisher.close();
    const { acked, failed } = publisher.snapshot();
    console.log(`${acked} taken, ${failed} not`);
  });
}
