import { expect, it } from 'vitest';
import { freePort, freePorts } from '../../launch/free-port.ts';
import { until } from '../../launch/until.ts';
import { openOwnSockets } from '../../../src/broker/broker-zmq.ts';
import { openBrokerSockets } from '../../../src/subscriber/broker-sockets-zmq.ts';

it('a question that comes up when the sockets have closed is no error', async () => {
  const address = `tcp://127.0.0.1:${await freePort()}`;
  const sockets = openBrokerSockets(
    { id: 'b', publish: address, subscribe: address, repair: address, http: '', epoch: 'e', state: 'up' },
    undefined,
    { onEnvelope: () => {}, onReply: () => {}, onConnected: () => {} },
  );
  sockets.close();
  expect(() => sockets.ask({ request: 1, kind: 'interest' })).not.toThrow();
});

it('a connection that breaks, comes back and is closed is told of once each, however many sockets it has', async () => {
  const [publish, subscribe, repair] = (await freePorts(3)).map((port) => `tcp://127.0.0.1:${port}`);
  const places = { publish: publish!, subscribe: subscribe!, repair: repair! };
  const openOwn = () => openOwnSockets({ ...places, lingerMs: 0, onError: () => {} });
  const told: boolean[] = [];
  let own = await openOwn();
  const sockets = openBrokerSockets({ id: 'b', ...places, http: '', epoch: 'e', state: 'up' }, undefined, {
    onEnvelope: () => {},
    onReply: () => {},
    onConnected: (connected) => told.push(connected),
  });
  await until('a connection', () => sockets.connected);
  await own.close();
  await until('its end', () => !sockets.connected);
  own = await openOwn();
  await until('another', () => sockets.connected);
  sockets.close();
  await own.close();
  expect(told).toEqual([true, false, true, false]);
});

it('an answer that comes up when the sockets have closed is no error', async () => {
  const any = 'tcp://127.0.0.1:0';
  const sockets = await openOwnSockets({
    publish: any,
    subscribe: any,
    repair: any,
    lingerMs: 0,
    onError: (_socket, error) => expect.fail(String(error)),
  });
  sockets.read(
    () => {},
    () => {},
  );
  await sockets.close();
  expect(() => sockets.reply('publish', Buffer.from('p'), Uint8Array.of(1))).not.toThrow();
});
