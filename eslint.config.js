import tseslint from 'typescript-eslint';

const IMPURE_PROPERTIES = [
  { object: 'Date', property: 'now' },
  { object: 'Math', property: 'random' },
  { object: 'performance', property: 'now' },
];
const NO_CLOCK = [
  {
    selector: "NewExpression[callee.name='Date'][arguments.length=0]",
    message: 'the time is a parameter',
  },
];
/** Ways out of a pure function that need no import. */
const IMPURE_GLOBALS = [
  ...['globalThis', 'global', 'process', 'require', 'console', 'performance', 'crypto'],
  ...['fetch', 'XMLHttpRequest', 'WebSocket', 'EventSource', 'navigator', 'localStorage'],
  ...['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'],
];
/** They answer in the language, or by the clock, of the machine. */
const LOCALE_METHODS = [
  ...['toLocaleString', 'toLocaleDateString', 'toLocaleTimeString', 'localeCompare'],
  ...['toLocaleLowerCase', 'toLocaleUpperCase', 'getTimezoneOffset', 'getHours', 'getDay'],
  ...['getDate', 'getMonth', 'getFullYear', 'getMinutes'],
];

const ONE_DECISION = {
  name: '#libs/update-control',
  importNames: ['resolve', 'resolveAll', 'findWithheld', 'resolveSequence'],
  message: 'DecisionService and SequenceService ask, for everybody',
};
const NO_LANES = 'which revision is decided by resolve(), from the policy snapshot';

export default tseslint.config(
  {
    ignores: [
      'dist/',
      'node_modules/',
      'test/vectors/',
      '.brandstore/',
      '.dependency-cruiser.cjs',
      'vitest.config.ts',
    ],
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_' },
      ],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      // Nest modules are classes without members.
      '@typescript-eslint/no-extraneous-class': 'off',
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    // Pure rooms have no clock and no dice: both arrive as parameters (U12).
    files: ['libs/{assertions,update-control,auth}/src/**/*.ts'],
    ignores: ['**/*.spec.ts'],
    rules: {
      'no-restricted-properties': ['error', ...IMPURE_PROPERTIES],
      'no-restricted-syntax': ['error', ...NO_CLOCK],
    },
  },
  {
    // The decision is the same on any node, at any time, in any country: no I/O and no locale either (U12).
    files: ['libs/update-control/src/**/*.ts'],
    ignores: ['**/*.spec.ts'],
    rules: {
      'no-restricted-globals': ['error', ...IMPURE_GLOBALS],
      'no-restricted-properties': [
        'error',
        ...IMPURE_PROPERTIES,
        ...LOCALE_METHODS.map((property) => ({ property })),
      ],
      'no-restricted-syntax': [
        'error',
        ...NO_CLOCK,
        {
          selector: "NewExpression[callee.object.name='Intl']:not([arguments.0.value='en-US'])",
          message: 'what is computed is not in the language of the machine',
        },
        {
          selector: "CallExpression[callee.object.name='Intl']",
          message: 'what is computed is not in the language of the machine',
        },
        { selector: 'ImportExpression', message: 'a decision loads nothing' },
      ],
      'no-restricted-imports': [
        'error',
        {
          paths: [{ name: 'node:crypto', allowImportNames: ['createHash'] }],
          patterns: [{ regex: '^(?!\\.{1,2}/|node:crypto$)', message: 'a decision does no I/O' }],
        },
      ],
    },
  },
  {
    // Which revision a device gets is decided in one place (update-control.md 2.3): who wants to know asks the DecisionService,
    files: ['apps/**/*.ts', 'libs/{operations,runtime}/**/*.ts'],
    ignores: ['**/*.spec.ts', 'libs/operations/src/policy/{decision,sequence}.service.ts'],
    rules: { '@typescript-eslint/no-restricted-imports': ['error', { paths: [ONE_DECISION] }] },
  },
  {
    // and what serves devices knows no other way to a revision: it reads no tables at all,
    files: ['apps/store-api/src/device/**/*.ts'],
    ignores: ['**/*.spec.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          paths: [
            ONE_DECISION,
            { name: '#libs/database', message: NO_LANES, allowTypeImports: true },
          ],
        },
      ],
    },
  },
  {
    // nor do the operations behind it read what is released where.
    files: ['libs/operations/src/{catalogue,devices,policy}/**/*.ts'],
    ignores: ['**/*.spec.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: [
            {
              name: '#libs/database',
              importNames: [
                'Lane',
                'LaneEvent',
                'FleetBaseline',
                'SnapRevision',
                'listChannelEvents',
              ],
              message: NO_LANES,
            },
          ],
        },
      ],
    },
  },
  {
    files: ['**/*.entity.ts'],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off' },
  },
  {
    files: ['**/*.spec.ts', 'test/**/*.ts'],
    rules: { 'max-lines': 'off', 'max-lines-per-function': 'off' },
  },
);
