// "herald/protocol": every wire's words, for programs that speak to Herald without an SDK of ours.

export * from './agent-check.ts';
export * from './broker-address.ts';
export * from './bucket.ts';
export * from './bucket-owner.ts';
export * from './bytes.ts';
export * from './client-frames.ts';
export * from './client-out-frames.ts';
export * from './close-codes.ts';
export * from './decode.ts';
export * from './load-report.ts';
export * from './lookup.ts';
export * from './names.ts';
export * from './publication.ts';
export * from './publication-envelope.ts';
export * from './publication-repair.ts';
export * from './rendezvous.ts';
export * from './retry.ts';
export * from './sequence-window.ts';
export * from './table-row.ts';
export * from './ticket.ts';
