// The house rules of docs/architecture.md, enforced on src by scripts/architecture.mjs. It also runs them
// over test/fixtures/architecture-canary, a tree of the same shape that breaks each rule once and must fail.
const rule = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

/** Only the files that match `allowed` may import the package; swapping it is then a one-file diff. */
const door = (name, npmPackage, allowed) =>
  rule(
    name,
    `${npmPackage} has one door`,
    { path: '^src/', pathNot: allowed },
    { path: `node_modules/${npmPackage}/` },
  );

module.exports = {
  forbidden: [
    rule(
      'no-circular',
      'a circle has no first file to load; types that know each other are erased and may',
      {},
      { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    ),
    rule('imports-exist', 'what cannot be resolved cannot be judged', {}, { couldNotResolve: true }),

    rule(
      'protocol-imports-nothing',
      'the words of the wires depend on nothing',
      { path: '^src/protocol/' },
      { pathNot: '^src/protocol/' },
    ),
    rule(
      'client-imports-protocol-alone',
      'the client runs in a browser',
      { path: '^src/client/' },
      { pathNot: '^src/(client|protocol)/' },
    ),
    rule(
      'core-is-pure',
      'time and chance are arguments; no clock, no node: module, no npm package',
      { path: '^src/([^/]+)/core/' },
      { pathNot: '^src/($1/core|protocol)/' },
    ),
    rule(
      'sim-is-pure',
      'it runs the production cores, on a clock of its own',
      { path: '^src/sim/' },
      { pathNot: '^src/(sim|[^/]+/core|protocol)/' },
    ),
    rule(
      'daemons-stand-alone',
      'they meet on wires whose words are in src/protocol; what tries or asks them stands outside',
      { path: '^src/(herald|gateway|broker)/', pathNot: '^src/[^/]+/core/' },
      {
        path: '^src/',
        pathNot: '^src/($1|client|cluster|daemon|protocol|publisher|reporter|subscriber|cli)/',
      },
    ),
    rule(
      'daemon-kit-knows-no-daemon',
      'what every process needs cannot need one of them',
      { path: '^src/daemon/' },
      { path: '^src/', pathNot: '^src/(daemon|protocol)/' },
    ),
    rule(
      'cluster-knows-no-daemon',
      'a port, whoever stands behind it',
      { path: '^src/cluster/' },
      { path: '^src/', pathNot: '^src/(cluster|daemon|protocol)/' },
    ),
    rule(
      'sdks-know-no-daemon',
      'an SDK ships without the servers',
      { path: '^src/(reporter|publisher)/' },
      { path: '^src/', pathNot: '^src/($1|daemon|protocol)/' },
    ),
    rule(
      'subscriber-knows-no-daemon',
      'what gateways and bridges share stands without them; it finds brokers as publishers do',
      { path: '^src/subscriber/' },
      { path: '^src/', pathNot: '^src/(subscriber|publisher|daemon|protocol)/' },
    ),
    rule(
      'checks-know-no-daemon',
      'they ask over the wires, as any monitoring would',
      { path: '^src/checks/' },
      { path: '^src/', pathNot: '^src/(checks|publisher|daemon|protocol)/' },
    ),
    rule(
      'nothing-imports-the-cli',
      'the command line is the outermost edge',
      { path: '^src/', pathNot: '^src/cli/' },
      { path: '^src/cli/' },
    ),
    rule(
      'src-does-not-import-tests',
      'shipped code stands without them',
      { path: '^src/' },
      { path: '^(test|bench|scripts|examples)/' },
    ),
    rule(
      'no-dev-packages-in-src',
      'an installation has no devDependencies',
      { path: '^src/' },
      { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    ),

    door('zookeeper-door', 'node-zookeeper-client', '^src/cluster/[^/]*zookeeper[^/]*\\.ts$'),
    door('zmq-door', 'zeromq', '-zmq\\.ts$'),
    door('statsd-door', 'hot-shots', '^src/daemon/metrics-statsd\\.ts$'),
    door('prometheus-door', 'prom-client', '^src/daemon/metrics-prometheus\\.ts$'),
    door('pino-door', 'pino', '^src/daemon/log\\.ts$'),
    door('yaml-door', 'yaml', '^src/daemon/yaml\\.ts$'),
    door('commander-door', 'commander', '^src/cli/'),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
