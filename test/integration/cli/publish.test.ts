// `herald publish` beside a real broker: what it is given is what arrives.

import { expect, it, onTestFinished } from 'vitest';
import { until } from '../../launch/until.ts';
import { broker, heraldHere, listed, listener } from '../broker/rig.ts';
import { herald } from './run-herald.ts';

it('sends JSON to the last digit as it was written, and other text as a string', async () => {
  const running = await heraldHere();
  onTestFinished(() => running.close());
  const { control } = running.addresses;
  const one = await broker('b1', { heralds: [control] });
  onTestFinished(() => one.close());
  await until('the broker to be listed', async () => (await listed(control)).length === 1);
  const heard = listener([one.address()]);
  onTestFinished(() => heard.link.close());
  await heard.link.subscribe('news');
  for (const data of ['[12345678901234567890, 1.10]', 'hello "you"']) {
    expect(await herald(['publish', 'news', data, '--heralds', control])).toMatchObject({ code: 0 });
  }
  await until('both', () => heard.messages.length === 2);
  expect(heard.messages.map(({ data }) => Buffer.from(data).toString())).toEqual([
    '[12345678901234567890, 1.10]',
    '"hello \\"you\\""',
  ]);
});
