// "herald/protocol": every wire's words, for programs that speak to Herald without an SDK of ours.

export * from './agent-check.ts';
export * from './bucket.ts';
export * from './client-frames.ts';
export * from './close-codes.ts';
export * from './decode.ts';
export * from './load-report.ts';
export * from './lookup.ts';
export * from './names.ts';
export * from './rendezvous.ts';
export * from './retry.ts';
export * from './table-row.ts';
export * from './ticket.ts';
