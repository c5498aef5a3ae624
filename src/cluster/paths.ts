// Where everything of one cluster lives in the store. docs/operations.md shows how to read it from a shell.

export interface ClusterPaths {
  heralds: string;
  brokers: string;
  table: string;
  desired: string;
  moverLease: string;
  /** Written under the fence again and again: only who may write it holds the lease. */
  moverRound: string;
  /** Written only to learn the store's own time. */
  clock: string;
  herald(id: string): string;
  broker(id: string): string;
  part(heraldId: string, index: number): string;
  desiredOf(gatewayId: string): string;
}

export function clusterPaths(cluster: string): ClusterPaths {
  const root = `/herald/${cluster}`;
  return {
    heralds: `${root}/heralds`,
    brokers: `${root}/brokers`,
    table: `${root}/table`,
    desired: `${root}/desired`,
    moverLease: `${root}/lease/mover`,
    moverRound: `${root}/lease/mover-round`,
    clock: `${root}/clock`,
    herald: (id) => `${root}/heralds/${id}`,
    broker: (id) => `${root}/brokers/${id}`,
    part: (heraldId, index) => `${root}/table/${heraldId}.${index}`,
    desiredOf: (gatewayId) => `${root}/desired/${gatewayId}`,
  };
}

/** `<heraldId>.<index>`; a Herald's id may hold dots itself. */
export function parsePartName(name: string): { heraldId: string; index: number } | undefined {
  const parts = /^(.+)\.(\d{1,6})$/.exec(name);
  return parts ? { heraldId: parts[1]!, index: Number(parts[2]) } : undefined;
}
