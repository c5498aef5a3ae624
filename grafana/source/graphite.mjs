// Graphite targets for the names that StatsD makes of the catalogue (docs/metrics.md): counters live below
// `stats.counters` as `.rate`, gauges below `stats.gauges`, DogStatsD tags are Graphite tags.

const match = (name, filters) =>
  `seriesByTag(${[`name=${name}`, ...filters].map((one) => `'${one}'`).join(',')})`;

/** A counter's rate a second, added up by `tag`. */
export function rateBy(tag, metric, ...filters) {
  return {
    target: `aliasByTags(groupByTags(${match(`stats.counters.${metric}.rate`, filters)},'sum','${tag}'),'${tag}')`,
  };
}

/** A gauge, one line for each value of `tag`. */
export function gaugeBy(tag, metric, ...filters) {
  return { target: `aliasByTags(${match(`stats.gauges.${metric}`, filters)},'${tag}')` };
}

export function totalRate(metric, ...filters) {
  return { target: `alias(sumSeries(${match(`stats.counters.${metric}.rate`, filters)}),'all')` };
}

export function totalGauge(metric, ...filters) {
  return { target: `alias(sumSeries(${match(`stats.gauges.${metric}`, filters)}),'all')` };
}

export function highestGauge(metric, ...filters) {
  return { target: `alias(maxSeries(${match(`stats.gauges.${metric}`, filters)}),'highest')` };
}

/** One counter's rate over another's. */
export function ratio(over, under, filters, alias) {
  const sum = (metric) => `sumSeries(${match(`stats.counters.${metric}.rate`, filters)})`;
  return { target: `alias(divideSeries(${sum(over)},${sum(under)}),'${alias}')` };
}
