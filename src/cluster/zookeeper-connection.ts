// One connection to one ZooKeeper server, from handshake to its end, never reused: the only place that makes a client
// of node-zookeeper-client. The package reconnects by itself, keeps a cut reply's first half for the next
// connection, sends stale operations and throws out of its socket on error codes it does not know; here it
// gets one server, one connection and no second chance. What comes next is the supervisor's to decide.

import zookeeper from 'node-zookeeper-client';
import type { Client, ClientError } from 'node-zookeeper-client';
import { messageOf } from '../daemon/thrown.ts';
import type { Outcome, Trouble } from './coordination.ts';

export interface ZookeeperSession {
  id: Buffer;
  password: Buffer;
}

export interface ConnectionOptions {
  /** `host:port`. */
  server: string;
  /** Asked of the server, which has bounds of its own. */
  sessionTimeoutMs: number;
  /** Resume this session; absent = a new one. */
  session?: ZookeeperSession;
  /** The newest transaction this process has seen: a server that lags behind it refuses us. */
  lastZxid?: Buffer;
  /** `user:password` for digest authentication. */
  digest?: string;
  /** Called once, whatever ends it: handshake refused, expiry, loss, `destroy`. */
  onEnd: (end: ConnectionEnd) => void;
}

export type ConnectionEnd = 'lost' | 'expired' | 'auth-failed' | 'destroyed';

export interface ZookeeperConnection {
  /** Resolves true after a handshake, false when the connection ended before. Never rejects. */
  opened: Promise<boolean>;
  session(): ZookeeperSession;
  sessionTimeoutMs(): number;
  lastZxid(): Buffer;
  /**
   * Runs one operation. `issue` gets the client and must call `done` once; `lost` when the connection ends
   * first. Deadlines and limits are the caller's.
   */
  run<T>(
    issue: (client: Client, done: (error: ClientError | null | undefined, value?: T) => void) => void,
  ): Promise<Outcome<T>>;
  /** Ends the session at the server too, if it answers before `destroy` is called. */
  closeSession(): void;
  destroy(end?: ConnectionEnd): void;
}

/** ConnectionManager.STATES.DISCONNECTED of the package. */
const MANAGER_DISCONNECTED = 0;

export function openConnection(options: ConnectionOptions): ZookeeperConnection {
  const client = zookeeper.createClient(options.server, {
    sessionTimeout: options.sessionTimeoutMs,
    retries: 0,
    ...(options.session && { sessionId: options.session.id, sessionPassword: options.session.password }),
  });
  const manager = client.connectionManager;
  if (options.lastZxid) manager.zxid = Buffer.from(options.lastZxid);
  if (options.digest !== undefined) client.addAuthInfo('digest', Buffer.from(options.digest));

  const unanswered = new Set<(outcome: { ok: false; why: Trouble }) => void>();
  let ended = false;
  let onOpened: (open: boolean) => void = () => {};
  const opened = new Promise<boolean>((resolve) => (onOpened = resolve));

  const end = (why: ConnectionEnd): void => {
    if (ended) return;
    ended = true;
    // The client would connect again from inside its own close handler: take that road away first.
    manager.connect = () => {};
    manager.removeAllListeners('state');
    client.removeAllListeners();
    if (manager.connectTimeoutHandler) clearTimeout(manager.connectTimeoutHandler);
    manager.socket?.destroy();
    onOpened(false);
    for (const settle of unanswered) settle({ ok: false, why: 'lost' });
    unanswered.clear();
    options.onEnd(why);
  };

  guardAgainstThrows(client, () => end('lost'));
  client.once('connected', () => onOpened(true));
  // The client emits 'disconnected' only after 'connected': without this, a refused handshake would wait for its deadline.
  manager.on('state', (state) => {
    if (state === MANAGER_DISCONNECTED) end('lost');
  });
  client.once('expired', () => end('expired'));
  client.once('authenticationFailed', () => end('auth-failed'));
  client.connect();

  return {
    opened,
    session: () => ({ id: client.getSessionId(), password: client.getSessionPassword() }),
    sessionTimeoutMs: () => client.getSessionTimeout(),
    lastZxid: () => manager.zxid,
    run: (issue) =>
      new Promise((resolve) => {
        if (ended) {
          resolve({ ok: false, why: 'away' });
          return;
        }
        unanswered.add(resolve);
        try {
          issue(client, (error, value) => {
            unanswered.delete(resolve);
            resolve(error ? troubleOf(error) : { ok: true, value: value as NonNullable<typeof value> });
          });
        } catch (error) {
          // The package validates with exceptions; nothing was sent.
          unanswered.delete(resolve);
          resolve({ ok: false, why: 'bad-path', detail: messageOf(error) });
        }
      }),
    closeSession() {
      if (!ended) client.close();
    },
    destroy: (why = 'destroyed') => end(why),
  };
}

/**
 * The package throws from its socket's data handler when a server answers with an error code it does not
 * know (a quota, a throttled request), which would end the process. Wrapping that one handler of this one
 * client turns such an answer into an answer, and anything else it throws into the end of the connection.
 */
function guardAgainstThrows(client: Client, lose: () => void): void {
  const manager = client.connectionManager;
  const parse = manager.onSocketData.bind(manager);
  manager.onSocketData = (bytes) => {
    // One call handles one packet and calls itself for the next, so the head is the operation answered.
    const head = manager.pendingQueue[0];
    try {
      parse(bytes);
    } catch (error) {
      const code = /^Unknown code: (-?\d+)/.exec(messageOf(error))?.[1];
      if (code === undefined || !head || manager.pendingQueue[0] === head) {
        lose();
        return;
      }
      head.callback(
        Object.assign(new Error(`server error code ${code}`), {
          code: Number(code),
          getCode: () => Number(code),
        }),
      );
      if (manager.pendingBuffer) manager.onSocketData(Buffer.alloc(0));
    }
  };
}

const { Exception } = zookeeper;
const TROUBLES = new Map<number, Trouble>([
  [Exception.NO_NODE, 'no-node'],
  [Exception.NODE_EXISTS, 'exists'],
  [Exception.BAD_VERSION, 'version'],
  [Exception.NOT_EMPTY, 'not-empty'],
  [Exception.NO_AUTH, 'no-auth'],
  [Exception.CONNECTION_LOSS, 'lost'],
  [Exception.SESSION_EXPIRED, 'lost'],
]);

function troubleOf(error: ClientError): { ok: false; why: Trouble; detail?: string } {
  const why = TROUBLES.get(error.code);
  return why ? { ok: false, why } : { ok: false, why: 'server', detail: error.message };
}
