import { defineConfig, globalIgnores } from 'eslint/config'
import hooks from 'eslint-plugin-react-hooks'
import tseslint from 'typescript-eslint'

const envOnlyInOptions = {
  object: 'process',
  property: 'env',
  message: 'Options are resolved once: read the environment in runtime/options.ts and pass the value.',
}

/** What counts as reasonable size and shape; bin/checks/budgets.mjs checks the shares over the whole repository. */
const budgets = {
  'max-lines': ['error', { max: 400 }],
  'max-lines-per-function': ['error', { max: 80 }],
  // Counts each `??` and `?.` too
  complexity: ['error', 20],
  'max-depth': ['error', 4],
  'max-params': ['error', 6],
}

const correctness = {
  eqeqeq: 'error',
  'no-console': 'error',
  'no-control-regex': 'error',
  'no-else-return': 'error',
  'no-fallthrough': 'error',
  'no-unsafe-finally': 'error',
  'no-self-compare': 'error',
  'no-template-curly-in-string': 'error',
  'no-var': 'error',
  'prefer-const': 'error',
  'object-shorthand': 'error',
}

const typed = {
  '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
  '@typescript-eslint/no-import-type-side-effects': 'error',
  '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
  '@typescript-eslint/no-floating-promises': ['error', { ignoreVoid: true }],
  '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreRestSiblings: true }],
  // A number in a message reads well; what prints as [object Object] stays forbidden.
  '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
  // `return close()` in a function without a result says: that, and no more.
  '@typescript-eslint/no-confusing-void-expression': 'off',
  // `while (true)` with an await inside is how a long-lived loop reads.
  '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
  '@typescript-eslint/restrict-plus-operands': ['error', { allowNumberAndString: true }],
  // `() => void close()` says that nobody waits, whether or not there is something to wait for.
  '@typescript-eslint/no-meaningless-void-operator': 'off',
  // An implementation of an async port may have nothing to wait for.
  '@typescript-eslint/require-await': 'off',
}

export default defineConfig(
  globalIgnores([
    '**/dist/',
    'coverage/',
    '.sluiceway/',
    'migrations/',
    '**/node_modules/',
    'runtime/client/openapi.d.ts',
  ]),
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: { ...correctness, ...typed, ...budgets },
  },
  {
    files: ['runtime/**/*.ts'],
    ignores: ['runtime/options.ts'],
    rules: { 'no-restricted-properties': ['error', envOnlyInOptions] },
  },
  {
    files: ['console/**/*.ts', 'console/**/*.tsx'],
    extends: [hooks.configs.flat['recommended-latest']],
  },
  {
    // A command's output is its purpose.
    files: ['runtime/main.ts', 'runtime/commands/**', 'workers/samples/**', 'bench/**'],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['test/**', 'bench/**', 'workers/**/*.test.ts'],
    rules: {
      'max-lines-per-function': 'off',
      complexity: 'off',
      'no-console': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      'no-template-curly-in-string': 'off',
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/no-empty-function': 'off',
      '@typescript-eslint/no-misused-spread': 'off',
    },
  },
  {
    files: ['**/*.js', '**/*.mjs', '**/*.cjs'],
    extends: [tseslint.configs.base],
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: { ...correctness, 'no-console': 'off', ...budgets },
  },
)
