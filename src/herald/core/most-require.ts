// (2) What most clients that are sent to a gateway require of it. Theirs are the gateways among which they can be moved.
// By majority vote (Boyer and Moore, "MJRTY", 1991): one candidate and its lead, whatever is asked for.

import { sameLabels } from './label-index.ts';

/** Gateways outlive what is asked of them: a majority of so many more is forgotten as fast. */
const MOST_LEAD = 100;

export interface MostRequire {
  /** Undefined = nothing. */
  labels: Record<string, string> | undefined;
  lead: number;
}

export function countRequired(mostRequire: MostRequire, labels: MostRequire['labels']): void {
  const kept = mostRequire.labels;
  if (labels === kept || (labels && kept && sameLabels(labels, kept))) {
    mostRequire.lead = Math.min(MOST_LEAD, mostRequire.lead + 1);
  } else if (mostRequire.lead === 0) {
    mostRequire.labels = labels;
    mostRequire.lead = 1;
  } else mostRequire.lead--;
}
