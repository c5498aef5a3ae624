// The name of a publisher's connection to a broker, which is its ZeroMQ routing id: who it is, and the how many-th. What a
// broker has not read of an earlier one when a later one speaks was sent again elsewhere; taken now, it would be
// numbered behind what came after it.

export interface ConnectionName {
  /** The same for all connections of one publisher to one broker, and of nobody else. */
  peer: string;
  /** Grows from one to the next. */
  number: number;
}

export function connectionName({ peer, number }: ConnectionName): string {
  return `${peer}/${number}`;
}

/** ZeroMQ begins the names that it makes up with a zero. */
const NAME = /^([^\0].*)\/(\d{1,15})$/s;

/** Who names itself otherwise, or not at all, has one connection that no other follows. */
export function readConnectionName(name: string): ConnectionName {
  const [, peer = name, number = '0'] = NAME.exec(name) ?? [];
  return { peer, number: Number(number) };
}
