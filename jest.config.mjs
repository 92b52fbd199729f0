/** One Jest for the whole workspace: ESM through SWC, workspace packages from their sources. */
const common = {
  rootDir: import.meta.dirname,
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['mayfly-source', 'node', 'node-addons'] },
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': ['@swc/jest', { swcrc: true }] },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  modulePathIgnorePatterns: ['/dist/', '/.mayfly/', '<rootDir>/.stryker/'],
};

export default {
  testTimeout: 30_000,
  projects: [
    {
      ...common,
      displayName: 'unit',
      testMatch: [
        ...['libs', 'services', 'deploy'].map((folder) => `<rootDir>/${folder}/*/test/**/*.test.{ts,mjs}`),
        '<rootDir>/test/{bench,compose,docs,forecast,hostile,model,scale}/*.test.ts',
      ],
    },
    {
      ...common,
      displayName: 'suites',
      testMatch: ['<rootDir>/test/**/*.test.ts'],
      testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/(bench|compose|docs|forecast|hostile|model|scale|faults)/'],
      // One real stack for all suites: servers and services.
      globalSetup: '<rootDir>/test/world/global-setup.mjs',
      globalTeardown: '<rootDir>/test/world/global-teardown.mjs',
    },
    {
      ...common,
      displayName: 'faults',
      testMatch: ['<rootDir>/test/faults/**/*.test.ts'],
      // They break servers and wires, so they have a stack that nobody else uses.
      globalSetup: '<rootDir>/test/world/faults-setup.mjs',
      globalTeardown: '<rootDir>/test/world/faults-teardown.mjs',
      setupFiles: ['<rootDir>/test/world/faults-world.mjs'],
    },
  ],
};
