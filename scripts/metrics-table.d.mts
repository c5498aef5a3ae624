export function metricsTable(
  metrics: Readonly<Record<string, { kind: string; unit: string; tags: readonly string[]; meaning: string }>>,
  prometheusName: (name: never) => string,
): string;
export function tableIn(text: string): string;
