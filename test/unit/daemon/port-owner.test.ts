import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listening, StartError } from '../../../src/daemon/lifecycle.ts';
import { portOwner } from '../../../src/daemon/port-owner.ts';

let holder: Server;
let port: number;

beforeEach(async () => {
  holder = createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  port = (holder.address() as AddressInfo).port;
});
afterEach(() => holder.close());

describe.runIf(process.platform === 'linux')('the owner of a port', () => {
  it('is named with its process id', () => {
    expect(portOwner(port)).toMatch(new RegExp(`^\\S.* \\(pid ${process.pid}\\)$`));
  });

  it('is nobody once it is closed', async () => {
    holder.close();
    await once(holder, 'close');
    expect(portOwner(port)).toBeUndefined();
  });
});

describe('a listen that fails', () => {
  const listen = async (address: { host: string; port: number }): Promise<void> => {
    const server = createServer();
    server.listen(address.port, address.host);
    await once(server, 'listening');
    server.close();
  };

  it('on a busy port names the address, the owner and the flag', async () => {
    const address = `127.0.0.1:${port}`;
    const failing = listening(listen({ host: '127.0.0.1', port }), address, '--public-listen');
    await expect(failing).rejects.toThrow(StartError);
    await expect(failing).rejects.toThrow(
      new RegExp(`^${address} is in use by .*pid ${process.pid}\\); choose another with --public-listen$`),
    );
  });

  it('on an address of another machine names the flag', async () => {
    const failing = listening(listen({ host: '192.0.2.1', port: 0 }), '192.0.2.1:0', '--admin-listen');
    await expect(failing).rejects.toThrow(
      'cannot listen on 192.0.2.1:0 (EADDRNOTAVAIL); choose another with --admin-listen',
    );
  });

  it('for any other cause stays what it was', async () => {
    const error = new Error('a defect');
    await expect(listening(Promise.reject(error), '127.0.0.1:0', '--x')).rejects.toBe(error);
  });
});
