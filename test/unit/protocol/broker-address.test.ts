import { describe, expect, it } from 'vitest';
import { Dealer } from 'zeromq';
import { decodeBrokerAddress, decodeBrokerList } from '../../../src/protocol/broker-address.ts';
import { anAddress } from '../broker/given.ts';

const GOOD = anAddress('b1');

const connect = (endpoint: string) => (): void => {
  const socket = new Dealer({ linger: 0 });
  try {
    socket.connect(endpoint);
  } finally {
    socket.close();
  }
};
const wanting = { ok: false, refusal: { field: 'publish', expected: 'a tcp://host:port endpoint' } };

describe('the endpoint of a broker', () => {
  it.each(['tcp://127.0.0.1:7420', 'tcp://[::1]:1'])('%s is taken, and a socket takes it too', (publish) => {
    expect(decodeBrokerAddress({ ...GOOD, publish })).toMatchObject({ ok: true, value: { publish } });
    expect(connect(publish)).not.toThrow();
  });

  it.each(['', 'nonsense', 'tcp://127.0.0.1', 'tcp://-:1', 'tcp://..:1', 'quic://127.0.0.1:1'])(
    '%j is refused, since a socket throws',
    (publish) => {
      expect(decodeBrokerAddress({ ...GOOD, publish })).toMatchObject(wanting);
      expect(connect(publish)).toThrow();
    },
  );

  it.each(['tcp://127.0.0.1:0', 'tcp://127.0.0.1:65536', 'tcp://:1', 'tcp://[::1:1', 'ipc:///x'])(
    '%s is refused, since nobody is there',
    (publish) => {
      expect(decodeBrokerAddress({ ...GOOD, publish })).toMatchObject(wanting);
    },
  );
});

describe('a list of brokers', () => {
  it('leaves out one that cannot be reached, and keeps the others', () => {
    const list = [{ ...GOOD, id: 'later', publish: 'quic://h:1' }, GOOD, { id: 'half' }];
    expect(decodeBrokerList(list)).toEqual({ ok: true, value: [GOOD] });
  });

  it('says how long each was silent, where that is known', () => {
    expect(decodeBrokerList([{ ...GOOD, silentMs: 700 }])).toEqual({
      ok: true,
      value: [{ ...GOOD, silentMs: 700 }],
    });
  });

  it('gives no new work to one in a state that is not known', () => {
    expect(decodeBrokerList([{ ...GOOD, state: 'resting' }])).toMatchObject({
      value: [{ id: 'b1', state: 'draining' }],
    });
  });

  it.each([undefined, null, {}, 'b1', ['b1'], Array(257).fill(GOOD)])('is none in %j', (value) => {
    expect(decodeBrokerList(value).ok).toBe(false);
  });
});
