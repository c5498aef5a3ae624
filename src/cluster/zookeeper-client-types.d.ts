// The part of node-zookeeper-client 1.1.3 that zookeeper-connection.ts uses; the package ships no types.
// `connectionManager` is not documented: the version is pinned exactly, and docs/adr says why we reach in.

declare module 'node-zookeeper-client' {
  import type { EventEmitter } from 'node:events';
  import type { Socket } from 'node:net';

  export interface Stat {
    mzxid: Buffer;
    mtime: Buffer;
    version: number;
    ephemeralOwner: Buffer;
  }
  export interface ClientError {
    code: number;
    message: string;
    getCode(): number;
  }
  type Done<T extends unknown[]> = (error: ClientError | null | undefined, ...values: T) => void;

  export interface Transaction {
    create(path: string, data: Buffer, acls: Acl[], mode: number): Transaction;
    check(path: string, version: number): Transaction;
    setData(path: string, data: Buffer, version: number): Transaction;
    commit(callback: Done<[{ stat?: Stat }[]]>): void;
  }

  export interface ConnectionManager extends EventEmitter {
    socket?: Socket;
    xid: number;
    zxid: Buffer;
    connectTimeoutHandler: NodeJS.Timeout | null;
    pendingBuffer: Buffer | null;
    pendingQueue: { callback(error: ClientError): void }[];
    connect(): void;
    onSocketData(bytes: Buffer): void;
  }

  export interface Client extends EventEmitter {
    connectionManager: ConnectionManager;
    connect(): void;
    close(): void;
    addAuthInfo(scheme: string, auth: Buffer): void;
    getSessionId(): Buffer;
    getSessionPassword(): Buffer;
    getSessionTimeout(): number;
    create(path: string, data: Buffer, acls: Acl[], mode: number, callback: Done<[string]>): void;
    remove(path: string, version: number, callback: Done<[]>): void;
    setData(path: string, data: Buffer, version: number, callback: Done<[Stat]>): void;
    getData(
      path: string,
      watcher: (() => void) | undefined,
      callback: Done<[Buffer | undefined, Stat]>,
    ): void;
    exists(path: string, watcher: (() => void) | undefined, callback: Done<[Stat | null]>): void;
    getChildren(path: string, watcher: (() => void) | undefined, callback: Done<[string[], Stat]>): void;
    transaction(): Transaction;
  }

  export interface Acl {
    permission: number;
  }
  export const ACL: { OPEN_ACL_UNSAFE: Acl[]; CREATOR_ALL_ACL: Acl[] };
  export const CreateMode: { PERSISTENT: number; EPHEMERAL: number };
  export const Exception: Record<
    | 'NO_NODE'
    | 'NO_AUTH'
    | 'BAD_VERSION'
    | 'NODE_EXISTS'
    | 'NOT_EMPTY'
    | 'CONNECTION_LOSS'
    | 'SESSION_EXPIRED',
    number
  >;
  export function createClient(
    server: string,
    options: { sessionTimeout: number; retries: number; sessionId?: Buffer; sessionPassword?: Buffer },
  ): Client;
}
