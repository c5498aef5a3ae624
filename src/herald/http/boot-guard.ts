// (1) Keeps a recorded report of a gateway's earlier boot from resetting what was learnt of the running one.
// A boot id that gave way to another never comes back while this Herald lives.

const RETIRED_PER_GATEWAY = 32;
const MAX_GATEWAYS = 100_000;

export interface BootGuard {
  /** False for a boot id that another one has replaced. */
  admit(gateway: string, bootId: string): boolean;
}

export function createBootGuard(): BootGuard {
  const gateways = new Map<string, { current: string; retired: string[] }>();
  return {
    admit(gateway, bootId) {
      const known = gateways.get(gateway);
      if (known === undefined) {
        if (gateways.size >= MAX_GATEWAYS) gateways.clear();
        gateways.set(gateway, { current: bootId, retired: [] });
        return true;
      }
      if (known.current === bootId) return true;
      if (known.retired.includes(bootId)) return false;
      known.retired.push(known.current);
      if (known.retired.length > RETIRED_PER_GATEWAY) known.retired.shift();
      known.current = bootId;
      return true;
    },
  };
}
