interface Dashboard {
  uid: string;
  panels: {
    title: string;
    targets?: { target?: string }[];
    gridPos: { x: number; y: number; w: number; h: number };
  }[];
  templating: { list: { name: string; type: string; query: unknown }[] };
}
export const DASHBOARDS: readonly Dashboard[];
export function asJson(dashboard: Dashboard): string;
