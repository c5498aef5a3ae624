// What the parts of bench/tls.ts say to each other.

/** `publish`: messages a second to every client from now on. */
export type Order = { collect: true } | { publish: number; bytes: number };

export interface GatewayTold {
  url: string;
  delivered: number;
  writes: number;
}

export type ClientsOrder = { connect: number };
