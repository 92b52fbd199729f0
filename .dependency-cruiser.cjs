/**
 * Layers: domain <- rules <- telemetry <- worker and I/O <- what every process is made of <- services.
 * A package is imported by its name only; nobody reaches into another one's files.
 */
const RULES = 'task-events|policy|grant|identity|revocation|evidence-log';
const IO = 'postgres|store|vault|kafka|http|targets';

const libs = (names) => `^libs/(${names})/`;

/** `names` may import nothing of the workspace but themselves and `allowed`. */
const mayImportOnly = (name, names, allowed, why) => ({
  name,
  comment: why,
  severity: 'error',
  from: { path: `${libs(names)}src/` },
  to: { path: '^(libs|services|deploy|test)/', pathNot: libs([names, ...allowed].join('|')) },
});

module.exports = {
  forbidden: [
    mayImportOnly('domain-first', 'domain', [], 'the words depend on nothing'),
    mayImportOnly('rules', RULES, ['domain'], 'rules are pure: they know words and other rules'),
    mayImportOnly('telemetry', 'telemetry', ['domain'], 'telemetry sees words only, so that everything may use it'),
    mayImportOnly('failpoints', 'failpoints', [], 'a moment in any layer may be a failpoint'),
    mayImportOnly('worker', 'worker', ['domain', 'telemetry'], 'the background runner is a neighbour of telemetry'),
    mayImportOnly('io', IO, ['domain', RULES, 'telemetry', 'worker', 'failpoints'], 'drivers serve the rules and know no service'),
    mayImportOnly(
      'service',
      'service',
      ['domain', RULES, 'telemetry', 'worker', 'failpoints', IO],
      'what every process is made of knows no process',
    ),
    mayImportOnly('agent-client', 'agent-client', ['domain'], 'what agents install stays small'),
    {
      name: 'libs-know-no-service',
      severity: 'error',
      from: { path: '^libs/' },
      to: { path: '^services/' },
    },
    {
      name: 'no-service-imports-a-service',
      comment: 'processes talk through Kafka and the ledger',
      severity: 'error',
      from: { path: '^services/([^/]+)/' },
      to: { path: '^services/', pathNot: '^services/$1/' },
    },
    {
      name: 'no-deep-imports',
      comment: 'a package is what its index.ts exports',
      severity: 'error',
      from: { path: '^(libs|services)/([^/]+)/' },
      to: { path: '^(libs|services)/[^/]+/(src|dist)/', pathNot: '^$1/$2/|/src/index\\.ts$' },
    },
    {
      name: 'tests-are-not-shipped',
      severity: 'error',
      from: { path: '^(libs|services)/[^/]+/src/' },
      to: { path: '/test/' },
    },
    {
      name: 'domain-does-no-io',
      severity: 'error',
      from: { path: `${libs('domain')}src/` },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?(crypto|util)$' },
    },
    {
      name: 'no-cycles',
      comment: 'types may know each other; running code may not',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'resolvable',
      comment: 'else the rules above would not see where it leads',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '/dist/' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['mayfly-source', 'import', 'node', 'default', 'types'] },
  },
};
