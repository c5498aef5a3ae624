import type { Allocate } from '../../../src/gateway/core/ws-frame.ts';

/** Of the language alone: the gateway's own takes memory that is not cleared. */
export const plainAllocate: Allocate = (size) => new Uint8Array(size);
