// What the parts of bench/lookup-http.ts tell each other.

export const MODES = ['kept-flat-out', 'one-each-flat-out', 'kept', 'one-each'] as const;
export type Mode = (typeof MODES)[number];

export const SERVERS = ['raw', 'fastify', 'herald'] as const;
export type ServerName = (typeof SERVERS)[number];

/** What a server is started with: Herald the number of its gateways, the others the answer that they send. */
export type ServerTask = { server: 'herald'; gateways: number } | ({ server: 'raw' | 'fastify' } & Answer);
export interface Answer {
  head: Record<string, string>;
  body: string;
}

export interface LoadOrder {
  port: number;
  mode: Mode;
  requests: number;
}
export interface LoadResult {
  requestsPerSec: number;
  p50Ms: number;
  p99Ms: number;
}
