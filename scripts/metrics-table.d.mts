export function metricsTable(
  metrics: Readonly<Record<string, { kind: string; unit: string; tags: readonly string[]; meaning: string }>>,
  naming: { prometheusName: (name: never) => string; hasHeraldIdInStatsd: (name: never) => boolean },
): string;
export function tableIn(text: string): string;
