// (5) The lookup that is now being answered, as all who have a part in the answer see it.

import type { LookupRequest } from '../../protocol/lookup.ts';
import type { Pool } from './pool.ts';

export interface AskedLookup {
  /** Of all lookups of this Herald, from 0 on. */
  readonly number: number;
  readonly request: LookupRequest;
  readonly pool: Pool;
  readonly nowMs: number;
}
