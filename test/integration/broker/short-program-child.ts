// The program of short-program.test.ts: publishes once, says how it ended, and is done. Not a test itself.
import { createPublisher } from '../../../src/publisher/index.ts';
import { PublishError } from '../../../src/publisher/publisher-errors.ts';

const publisher = await createPublisher({ brokers: [], giveUpMs: 300 });
try {
  await publisher.publish('news', 1);
} catch (error) {
  if (!(error instanceof PublishError)) throw error;
  console.log(error.code);
}
await Promise.all([publisher.close(), publisher.close()]);
console.log('closed');
