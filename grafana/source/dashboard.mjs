// The few pieces of Grafana's classic dashboard JSON that Herald's dashboards are made of. A row is a title
// and panels; panels flow left to right over the 24 columns, so that nobody counts grid positions.

const PALETTE = { mode: 'palette-classic' };
const COLUMNS = 24;

/** A panel of lines over time. `queries` are {expr|target, legend}. */
export function lines(title, unit, queries, more = {}) {
  return panel('timeseries', title, unit, queries, {
    width: 8,
    height: 8,
    defaults: {
      color: PALETTE,
      custom: {
        fillOpacity: 8,
        lineWidth: 1,
        showPoints: 'never',
        stacking: { mode: more.stack ? 'normal' : 'none' },
      },
    },
    options: {
      legend: { displayMode: 'list', placement: 'bottom' },
      tooltip: { mode: 'multi', sort: 'desc' },
    },
    ...more,
  });
}

/** A panel of one big figure. `steps` are [color, from] pairs; `words` names values. */
export function figure(title, unit, query, { steps = [['green', null]], words, ...more } = {}) {
  return panel('stat', title, unit, [query], {
    width: 4,
    height: 4,
    defaults: {
      color: { mode: 'thresholds' },
      thresholds: { mode: 'absolute', steps: steps.map(([color, value]) => ({ color, value })) },
      ...(words && {
        mappings: [
          {
            type: 'value',
            options: Object.fromEntries(
              Object.entries(words).map(([value, text], index) => [value, { text, index }]),
            ),
          },
        ],
      }),
    },
    options: {
      colorMode: 'value',
      graphMode: 'area',
      justifyMode: 'auto',
      reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
      textMode: 'auto',
    },
    ...more,
  });
}

function panel(type, title, unit, queries, { width, height, defaults, options, help, min = 0, max }) {
  return {
    type,
    title,
    ...(help && { description: help }),
    datasource: undefined,
    gridPos: { w: width, h: height },
    fieldConfig: { defaults: { unit, min, ...(max !== undefined && { max }), ...defaults }, overrides: [] },
    options,
    targets: queries.map(({ legend, ...query }, index) => ({
      refId: String.fromCharCode(65 + index),
      ...query,
      ...(legend && { legendFormat: legend }),
    })),
  };
}

/**
 * The whole dashboard. `source` is 'prometheus' or 'graphite'; `variables` are {name, label, query}.
 * schemaVersion 42 is the newest of the classic format, which every Grafana since 11 reads and migrates.
 */
export function dashboard({ uid, title, description, source, variables, rows }) {
  const datasource = { type: source, uid: '${datasource}' };
  const panels = [];
  let y = 0;
  for (const { title: rowTitle, panels: inRow } of rows) {
    panels.push({
      type: 'row',
      title: rowTitle,
      collapsed: false,
      gridPos: { x: 0, y, w: COLUMNS, h: 1 },
      panels: [],
    });
    y += 1;
    let x = 0;
    let tallest = 0;
    for (const one of inRow) {
      if (x + one.gridPos.w > COLUMNS) {
        x = 0;
        y += tallest;
        tallest = 0;
      }
      panels.push({
        ...one,
        datasource,
        gridPos: { x, y, ...one.gridPos },
        targets: one.targets.map((target) => ({ ...target, datasource })),
      });
      x += one.gridPos.w;
      tallest = Math.max(tallest, one.gridPos.h);
    }
    y += tallest;
  }
  return {
    uid,
    title,
    description,
    tags: ['herald'],
    schemaVersion: 42,
    version: 1,
    editable: true,
    graphTooltip: 1,
    timezone: 'browser',
    refresh: '5s',
    time: { from: 'now-15m', to: 'now' },
    links: [
      {
        type: 'dashboards',
        title: 'Herald',
        tags: ['herald'],
        asDropdown: true,
        includeVars: false,
        keepTime: true,
      },
    ],
    annotations: { list: [] },
    templating: {
      list: [
        { name: 'datasource', label: 'Data source', type: 'datasource', query: source, current: {}, hide: 0 },
        ...variables.map(({ name, label, query }) => ({
          name,
          label,
          type: 'query',
          datasource,
          query: source === 'prometheus' ? { query, refId: name } : query,
          refresh: 2,
          sort: 1,
          multi: true,
          includeAll: true,
          allValue: '.*',
          current: { text: 'All', value: '$__all' },
        })),
      ],
    },
    panels: panels.map((one, index) => ({ id: index + 1, ...one })),
  };
}
