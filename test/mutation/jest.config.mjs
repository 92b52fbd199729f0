/** The unit tests of what is mutated, and nothing else: they need no server. */
import whole from '../../jest.config.mjs';

const [unit] = whole.projects;

export default {
  ...unit,
  rootDir: '../..',
  testTimeout: 20_000,
  testMatch: ['grant', 'revocation', 'identity'].map((lib) => `<rootDir>/libs/${lib}/test/**/*.test.ts`),
};
