// The cluster secret is changed as docs/operations.md says, with tickets required: at each step Herald names the
// gateway, its ticket opens the door, and the broker is announced.

import { afterEach, expect, it } from 'vitest';
import type { BrokerHandle } from '../../../src/broker/start-broker.ts';
import type { LaunchedGateway } from '../../launch/gateway.ts';
import { launchGateway, TestClient } from '../../launch/gateway.ts';
import { until } from '../../launch/until.ts';
import { broker } from '../broker/rig.ts';
import type { OneHerald } from './one-herald.ts';
import { ask, oneHerald } from './one-herald.ts';

const OLD = 'the secret of yesterday';
const NEW = 'the secret of tomorrow';

let herald: OneHerald;
let gateway: LaunchedGateway;
let announced: BrokerHandle;
afterEach(() => Promise.all([gateway.gateway.close(), announced.close(), herald.close()]));

async function startClients(secret: string, previousSecret = ''): Promise<void> {
  const heralds = [herald.addresses.control];
  gateway = await launchGateway({ id: 'gw-1', heralds, tickets: 'required', secret, previousSecret });
  announced = await broker('b-1', { heralds, secret, previousSecret, drainMs: 0 });
}
const stopClients = (): Promise<unknown> => Promise.all([gateway.gateway.close(), announced.close()]);

/** What Herald says now, asked until it is so: all of it is a second old at most. */
async function serves(): Promise<void> {
  await until('the gateway to be named and its ticket to be good', async () => {
    const { status, body } = await ask(`${herald.addresses.public}/v1/lookup`);
    if (status !== 200) return false;
    const client = await TestClient.connect(gateway.url, { token: body.ticket }).catch(() => undefined);
    client?.drop();
    return client !== undefined;
  });
  await until('the broker to be announced', async () => {
    const { body } = await ask(`${herald.addresses.control}/v1/brokers`);
    return body.brokers.length === 1;
  });
}

it('goes on naming gateways and brokers at each step of a change of the secret', async () => {
  herald = await oneHerald({ secret: OLD });
  await startClients(OLD);
  await serves();

  await stopClients();
  await startClients(NEW, OLD);
  await serves();

  const controlListen = new URL(herald.addresses.control).host;
  await herald.close();
  herald = await oneHerald({ secret: NEW, controlListen });
  await serves();

  await stopClients();
  await startClients(NEW);
  await serves();
  expect(gateway.gateway.snapshot().reporter?.heralds).toMatchObject([{ state: 'up' }]);
});
