// node-zookeeper-client as it comes, to show in the tests what the supervisor has to cure.

import zookeeper from 'node-zookeeper-client';
import type { Client, ClientError } from 'node-zookeeper-client';

export interface BareClient extends Client {
  /** Every state event, in order. */
  events: string[];
}

const opened: BareClient[] = [];

export function bareClient(address: string, sessionTimeoutMs: number): BareClient {
  const client = zookeeper.createClient(address, {
    sessionTimeout: sessionTimeoutMs,
    retries: 0,
  }) as BareClient;
  client.events = [];
  for (const event of ['connected', 'disconnected', 'expired', 'authenticationFailed']) {
    client.on(event, () => client.events.push(event));
  }
  opened.push(client);
  return client;
}

/** The package cannot be closed safely in every state, which is defect 14; this ends it by force. */
export function destroyBareClients(): void {
  for (const client of opened.splice(0)) {
    const manager = client.connectionManager;
    manager.connect = () => {};
    manager.removeAllListeners();
    if (manager.connectTimeoutHandler) clearTimeout(manager.connectTimeoutHandler);
    manager.socket?.destroy();
  }
}

/** The outcome of one operation; `silent` when no callback came in `deadlineMs`. */
export function answerOf(
  issue: (done: (error: ClientError | null | undefined) => void) => void,
  deadlineMs: number,
): Promise<string> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve('silent'), deadlineMs);
    issue((error) => {
      clearTimeout(timer);
      resolve(error ? error.message : 'ok');
    });
  });
}
