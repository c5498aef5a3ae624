// The name of a publisher's connection to a broker, which is its ZeroMQ routing id: the publisher and a number that
// grows. Once a later connection speaks, a broker ignores what is left of an earlier one: the publisher has sent it
// again elsewhere, and taken now it would be numbered after messages that it precedes.

export interface ConnectionName {
  /** The same for all connections of one publisher to one broker, and of nobody else. */
  peer: string;
  /** Grows from one to the next. */
  number: number;
}

export function connectionName({ peer, number }: ConnectionName): string {
  return `${peer}/${number}`;
}

/** Names that ZeroMQ makes up begin with a zero byte. */
const NAME = /^([^\0].*)\/(\d{1,15})$/s;

/** A name of any other form is a peer of its own, which has this one connection. */
export function readConnectionName(name: string): ConnectionName {
  const [, peer = name, number = '0'] = NAME.exec(name) ?? [];
  return { peer, number: Number(number) };
}
