// Names that the parts of the fault table share.

export const CLUSTER = 'faults';
export const HERALD_IDS = ['h1', 'h2', 'h3'] as const;

/** Gateways that report from a process of their own, so that one can be killed or stopped alone. */
export const LONE_GATEWAYS = ['gw-01', 'gw-02', 'gw-03', 'gw-04'] as const;
/** The others share one process. */
export const SHARED_GATEWAYS = Array.from({ length: 16 }, (_, i) => `gw-${String(i + 5).padStart(2, '0')}`);

/** The one that does as it is told; the others report as if nothing had been said. */
export const OBEDIENT_GATEWAY = 'gw-04';
