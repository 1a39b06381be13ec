/**
 * Imports run one way (see ARCHITECTURE.md):
 *
 *   protocol  <-  adapter | vehicle  <-  fleet  <-  quickstart | bench  <-  cli
 *
 * The protocol knows nobody. The adapter and the vehicle know the protocol and not each other.
 * Only the quickstart, the benchmark and the command line put them together.
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
    only('adapter', 'protocol'),
    only('vehicle', 'protocol'),
    only('fleet', 'vehicle', 'protocol'),
    only('quickstart', 'adapter', 'fleet', 'vehicle', 'protocol'),
    only('bench', 'adapter', 'fleet', 'vehicle', 'protocol'),
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
