import { describe, expect, it } from 'vitest';
import { decodePublishRequest } from '../../../src/broker/publishing/publish-request.ts';

const text = new TextDecoder();
const itemsOf = (body: string): [string, string][] => {
  const decoded = decodePublishRequest(body);
  if (!decoded.ok) throw new Error(JSON.stringify(decoded.refusal));
  return decoded.value.map(({ topic, json }) => [topic, text.decode(json)]);
};

describe('the data of a publish over HTTP', () => {
  it.each([
    ['one message', '{"data": 12345678901234567890, "topic": "a"}'],
    ['an array', ' [ {"topic":"a","data":12345678901234567890} ]'],
    ['messages', '{"data":1,"messages":[{"topic":"a","data": 12345678901234567890 }],"topic":"b"}'],
  ])('goes on to the last digit: %s', (_shape, body) => {
    expect(itemsOf(body)).toEqual([['a', '12345678901234567890']]);
  });

  it('is that of its own message', () => {
    const list = ['1.0', '"],{\\"data\\":2"', '{"data":[1e999,{}]}', '[]', 'null'];
    const body = `[${list.map((data, i) => `{"topic":"t.${i}","x":[{}],"data":${data}}`).join(' , ')}]`;
    expect(itemsOf(body)).toEqual(list.map((data, i) => [`t.${i}`, data]));
  });

  it('may be nested 1,000 levels deep', () => {
    const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);
    expect(itemsOf(`{"topic":"a","data":${nested(1_000)}}`)).toHaveLength(1);
    expect(decodePublishRequest(`[{"topic":"a","data":${nested(1_001)}}]`)).toMatchObject({
      refusal: { field: 'messages[0].data', expected: 'at most 1000' },
    });
  });
});
