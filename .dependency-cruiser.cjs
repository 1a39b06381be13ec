/**
 * Imports run one way (see ARCHITECTURE.md):
 *
 *   contract, uptane  <-  service  <-  adapter
 *   contract  <-  service, update-script, uptane  <-  carota
 *   contract  <-  update-script  <-  vehicle  <-  fleet
 *   asn1 (knows nobody)  <-  uptane, x509, service, carota
 *   uptane  <-  vehicle
 *   x509  <-  service, carota, vehicle
 *   contract  <-  console (in the browser; it asks the servers over HTTP)
 *   contract  <-  service  <-  test-bed (tests import it too)
 *   all of them  <-  quickstart | bench  <-  cli
 *
 * The contract knows nobody. Adapter, CarOTA Server and vehicle know the contract and not each other;
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
    only('contract'),
    only('asn1'),
    only('uptane', 'asn1'),
    only('x509', 'asn1'),
    only('service', 'contract', 'uptane', 'x509', 'asn1'),
    only('adapter', 'service', 'contract'),
    only('update-script', 'contract'),
    only('carota', 'service', 'update-script', 'uptane', 'contract', 'x509', 'asn1'),
    only('vehicle', 'uptane', 'update-script', 'contract', 'x509'),
    only('fleet', 'vehicle', 'uptane', 'update-script', 'contract'),
    only('console', 'contract'),
    only(
      'quickstart',
      'adapter',
      'carota',
      'service',
      'fleet',
      'vehicle',
      'update-script',
      'contract',
    ),
    only('test-bed', 'service', 'contract'),
    only(
      'bench',
      'test-bed',
      'adapter',
      'carota',
      'service',
      'fleet',
      'vehicle',
      'uptane',
      'contract',
    ),
    {
      name: 'contract-does-no-io',
      comment: 'The contract is pure: no sockets, files or clocks.',
      severity: 'error',
      from: { path: part('contract') },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?(buffer|util|crypto)$' },
    },
    {
      name: 'typebox-by-contract-typebox',
      comment:
        'The build makes src/contract/typebox.ts one file; an import beside it reads 700 modules again.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/contract/typebox\\.ts$' },
      to: { path: 'node_modules/typebox/' },
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
