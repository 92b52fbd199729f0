/**
 * Style and boundaries as errors. The layers between packages are in .dependency-cruiser.cjs.
 */
import jsdoc from 'eslint-plugin-jsdoc';
import tseslint from 'typescript-eslint';

/** Each driver has one home; everybody else uses that library's words. */
const DRIVERS = { kafkajs: 'kafka', 'node-vault': 'vault', pg: 'postgres', '@opentelemetry': 'telemetry' };

const driversOutside = (home) => ({
  patterns: Object.entries(DRIVERS)
    .filter(([, library]) => library !== home)
    .map(([driver, library]) => ({
      group: [driver, `${driver}/*`],
      message: `only libs/${library} imports ${driver}; use @mayfly/${library}`,
    })),
});

/** Names that say nothing about what lies inside. */
const NAMELESS = ['common', 'utils', 'util', 'helpers', 'shared', 'misc'];

const folderNames = {
  create: (context) => ({
    Program(node) {
      const nameless = context.filename
        .slice(context.cwd.length)
        .split(/[\\/]/)
        .slice(0, -1)
        .find((part) => NAMELESS.includes(part));
      if (nameless) context.report({ node, message: `a folder named ${nameless} says nothing: name it after what is in it` });
    },
  }),
};

const TYPESCRIPT = ['{libs,services,test,deploy}/**/*.ts'];
const TESTS = ['test/**', '{libs,services,deploy}/*/test/**'];

export default tseslint.config(
  { ignores: ['**/dist/**', '**/node_modules/**', '.mayfly/**', '.nx/**', '.stryker/**', 'coverage/**'] },
  { linterOptions: { reportUnusedDisableDirectives: 'warn' } },
  {
    files: ['**/*.{ts,mjs,cjs}'],
    plugins: { mayfly: { rules: { 'folder-names': folderNames } } },
    rules: {
      'mayfly/folder-names': 'error',
      'max-lines': ['error', { max: 400 }],
      eqeqeq: 'error',
      'no-var': 'error',
      'prefer-const': 'error',
    },
  },
  {
    files: TYPESCRIPT,
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      'no-restricted-imports': ['error', driversOutside()],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      // A port's promise may be kept without waiting for anything.
      '@typescript-eslint/require-await': 'off',
      // What was caught is kept and thrown again later; its type is unknown then.
      '@typescript-eslint/only-throw-error': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', caughtErrors: 'none', ignoreRestSiblings: true }],
    },
  },
  ...Object.values(DRIVERS).map((library) => ({
    files: [`libs/${library}/**/*.ts`],
    rules: { 'no-restricted-imports': ['error', driversOutside(library)] },
  })),
  {
    // What somebody would write without any of ours.
    files: ['test/bench/by-hand/*.ts'],
    rules: { 'no-restricted-imports': 'off' },
  },
  {
    // The client declares as methods what it documents as functions to take apart.
    files: ['libs/kafka/**/*.ts'],
    rules: { '@typescript-eslint/unbound-method': 'off' },
  },
  {
    // What a package offers is explained where it is declared; members only where their name does not say it all.
    files: ['libs/*/src/**/*.ts'],
    plugins: { jsdoc },
    rules: {
      'jsdoc/require-jsdoc': [
        'error',
        {
          publicOnly: { esm: true, cjs: false, window: false },
          enableFixer: false,
          require: { FunctionDeclaration: true, ClassDeclaration: true },
          contexts: ['ExportNamedDeclaration > VariableDeclaration', 'TSInterfaceDeclaration', 'TSTypeAliasDeclaration'],
        },
      ],
    },
  },
  {
    files: TESTS,
    rules: {
      'max-lines': 'off',
      // Tests drive real servers with their own clients and pass what no type allows.
      'no-restricted-imports': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      // What a server answers is looked into as it comes.
      '@typescript-eslint/no-explicit-any': 'off',
      '@typescript-eslint/restrict-template-expressions': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
);
