// The house rules of docs/architecture.md, enforced. scripts/check.mjs also runs them over
// test/fixtures/architecture-canary, which breaks each rule once and must fail.
const pureCore = '^(src|test/fixtures/architecture-canary)/([^/]+/core|sim)/';
const door = (name, npmPackage, allowed) => ({
  name,
  comment: `${npmPackage} has one door`,
  severity: 'error',
  from: { path: '^(src|test/fixtures/architecture-canary)/', pathNot: allowed },
  to: { path: `node_modules/${npmPackage}/` },
});

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'protocol-imports-nothing',
      severity: 'error',
      from: { path: '/protocol/' },
      to: { pathNot: '/protocol/' },
    },
    {
      name: 'client-imports-protocol-alone',
      severity: 'error',
      from: { path: '/client/' },
      to: { pathNot: '/(client|protocol)/' },
    },
    {
      name: 'core-is-pure',
      comment: 'time and chance are arguments; no clock, no node: module, no npm package',
      severity: 'error',
      from: { path: pureCore },
      to: { pathNot: '/(core|sim|protocol)/' },
    },
    {
      name: 'daemons-do-not-import-each-other',
      severity: 'error',
      from: { path: '/(herald|gateway|broker)/' },
      to: { path: '/(herald|gateway|broker)/', pathNot: '/$1/' },
    },
    {
      name: 'nothing-imports-the-cli',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/cli/' },
      to: { path: '^src/cli/' },
    },
    {
      name: 'src-does-not-import-tests',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bench)/' },
    },
    door('zookeeper-door', 'node-zookeeper-client', '^src/cluster/[^/]*zookeeper[^/]*\\.ts$'),
    door('zmq-door', 'zeromq', '-zmq\\.ts$'),
    door('statsd-door', 'hot-shots', '^src/daemon/metrics-statsd\\.ts$'),
    door('prometheus-door', 'prom-client', '^src/daemon/metrics-prometheus\\.ts$'),
    door('yaml-door', 'yaml', '^src/(daemon/config|herald/helpshift)[^/]*\\.ts$|^src/herald/helpshift/'),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
