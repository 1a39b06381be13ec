/**
 * Imports run one way (see ARCHITECTURE.md):
 *
 *   protocol  <-  service  <-  adapter
 *   protocol  <-  service, update-script  <-  carota
 *   protocol  <-  update-script  <-  vehicle  <-  fleet
 *   uptane (knows nobody)
 *   protocol  <-  console (in the browser; it asks the servers over HTTP)
 *   all of them  <-  quickstart | bench  <-  cli
 *
 * The protocol knows nobody. Adapter, CarOTA Server and vehicle know the protocol and not each other;
 * the two servers stand on the same service: database, HTTP, tokens. Only the quickstart, the
 * benchmark and the command line put them together.
 */
const part = (name) => `^src/${name}/`;
const only = (from, ...allowed) => ({
  name: `${from}-knows-only-${allowed.join('-') || 'itself'}`,
  severity: 'error',
  from: { path: part(from) },
  to: { path: '^src/', pathNot: [from, ...allowed].map(part) },
});

module.exports = {
  forbidden: [
    only('protocol'),
    only('uptane'),
    only('service', 'protocol'),
    only('adapter', 'service', 'protocol'),
    only('update-script', 'protocol'),
    only('carota', 'service', 'update-script', 'protocol'),
    only('vehicle', 'update-script', 'protocol'),
    only('fleet', 'vehicle', 'update-script', 'protocol'),
    only('console', 'protocol'),
    only(
      'quickstart',
      'adapter',
      'carota',
      'service',
      'fleet',
      'vehicle',
      'update-script',
      'protocol',
    ),
    only('bench', 'adapter', 'carota', 'service', 'fleet', 'vehicle', 'protocol'),
    {
      name: 'protocol-does-no-io',
      comment: 'The protocol is pure: no sockets, files or clocks.',
      severity: 'error',
      from: { path: part('protocol') },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?(buffer|util|crypto)$' },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, pathNot: '\\.d\\.ts$' },
      to: {},
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node'] },
  },
};
