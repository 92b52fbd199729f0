/** One lib's mutation, as ./main.mjs asks for it. What is mutated is pure, so that its unit tests alone have to notice. */
const lib = process.env['MUTATED_LIB'];

export default {
  testRunner: 'jest',
  plugins: ['@stryker-mutator/jest-runner'],
  testRunnerNodeArgs: ['--experimental-vm-modules', '--no-warnings'],
  jest: { projectType: 'custom', configFile: 'test/mutation/jest.config.mjs', enableFindRelatedTests: false },
  coverageAnalysis: 'perTest',
  mutate: [`libs/${lib}/src/**/*.ts`, '!**/index.ts', '!**/ports.ts'],
  ignorePatterns: ['.mayfly', '.nx', 'dist', 'services', 'deploy', 'docs'],
  tempDirName: '.stryker',
  concurrency: 2,
  timeoutMS: 20_000,
  // Every round of tests loads its modules anew, and Node never gives the old ones back.
  maxTestRunnerReuse: 60,
  reporters: ['progress', 'clear-text', 'json'],
  clearTextReporter: { logTests: false, reportScoreTable: true, allowColor: false },
  jsonReporter: { fileName: `.mayfly/mutation-${lib}.json` },
};
