/** The unit tests of what is mutated: they need no server. Those that draw their cases stay out, so that a score can be had again. */
import whole from '../../jest.config.mjs';

const [unit] = whole.projects;

export default {
  ...unit,
  rootDir: '../..',
  testTimeout: 60_000,
  testPathIgnorePatterns: ['/node_modules/', '/any-'],
  testMatch: [`<rootDir>/libs/${process.env['MUTATED_LIB']}/test/**/*.test.ts`],
};
