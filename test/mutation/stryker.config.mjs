/**
 * `npm run mutation`: changes the code that must not be wrong, one place at a time, and counts the changes that no test notices.
 * What is mutated is pure, so that its unit tests alone have to notice.
 */
export default {
  testRunner: 'jest',
  plugins: ['@stryker-mutator/jest-runner'],
  testRunnerNodeArgs: ['--experimental-vm-modules', '--no-warnings'],
  jest: { projectType: 'custom', configFile: 'test/mutation/jest.config.mjs', enableFindRelatedTests: false },
  coverageAnalysis: 'perTest',
  mutate: ['libs/grant/src/**/*.ts', 'libs/revocation/src/**/*.ts', 'libs/identity/src/**/*.ts', '!**/index.ts', '!**/ports.ts'],
  ignorePatterns: ['.mayfly', '.nx', 'dist', 'services', 'deploy', 'docs'],
  tempDirName: '.stryker',
  concurrency: 2,
  timeoutMS: 10_000,
  reporters: ['progress', 'clear-text', 'json'],
  clearTextReporter: { logTests: false, reportScoreTable: true },
  jsonReporter: { fileName: '.mayfly/mutation.json' },
  thresholds: { high: 95, low: 90, break: 85 },
};
