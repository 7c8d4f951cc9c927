const PURE = 'libs/(assertions|update-control|auth)/';

/** The arrows of ARCHITECTURE.md: apps → runtime, operations → database storage queue keyring → the pure rooms. */
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'pure-stays-pure',
      comment: 'pure rooms take values and give values: no I/O, no framework, no other room',
      severity: 'error',
      from: { path: `^${PURE}`, pathNot: ['\\.spec\\.ts$', '/testing/'] },
      to: {
        pathNot: [`^libs/(assertions|update-control|auth)/`, '^(node:)?(crypto|buffer)$'],
      },
    },
    {
      name: 'pure-rooms-are-separate',
      severity: 'error',
      from: { path: '^libs/(assertions|update-control|auth)/', pathNot: '\\.spec\\.ts$' },
      to: { path: '^libs/', pathNot: '^libs/$1/' },
    },
    {
      name: 'no-app-imports-an-app',
      severity: 'error',
      from: { path: '^apps/([^/]+)/' },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    {
      name: 'libs-do-not-know-apps',
      severity: 'error',
      from: { path: '^libs/' },
      to: { path: '^(apps|tools)/' },
    },
    {
      name: 'apps-do-not-know-tools',
      severity: 'error',
      from: { path: '^apps/' },
      to: { path: '^tools/' },
    },
    {
      name: 'rooms-are-entered-by-the-door',
      comment: 'another room is imported as #libs/<room>, its src/index.ts',
      severity: 'error',
      from: { path: '^(apps|tools|test)/' },
      to: { path: '^libs/[^/]+/src/', pathNot: '^libs/[^/]+/src/index\\.ts$' },
    },
    {
      name: 'rooms-are-entered-by-the-door-from-rooms',
      severity: 'error',
      from: { path: '^libs/([^/]+)/' },
      to: { path: '^libs/[^/]+/src/', pathNot: ['^libs/$1/', '^libs/[^/]+/src/index\\.ts$'] },
    },
    {
      name: 'cellars-point-down',
      comment:
        'database storage queue keyring stand beside each other; only database knows the job types',
      severity: 'error',
      from: { path: '^libs/(storage|queue|keyring|runtime)/' },
      to: {
        path: '^libs/(operations|database|storage|queue|keyring|runtime)/',
        pathNot: '^libs/$1/',
      },
    },
    {
      name: 'database-points-down',
      severity: 'error',
      from: { path: '^libs/database/' },
      to: { path: '^libs/(operations|storage|keyring|runtime)/' },
    },
    {
      name: 'operations-have-no-runtime',
      severity: 'error',
      from: { path: '^libs/operations/' },
      to: { path: '^libs/runtime/' },
    },
    {
      name: 'cli-has-no-database',
      comment: 'keyring it has: the root key is opened where it is kept, far from the store',
      severity: 'error',
      from: { path: '^apps/cli/' },
      to: { path: '^libs/(database|storage|queue|operations)/' },
    },
    {
      name: 'typeorm-in-database',
      severity: 'error',
      // queue: BullMQ's Postgres backend takes a pool of ours; stack: one real query tells that the server is ready.
      from: {
        path: '^(apps|libs|tools)/',
        pathNot: '^(libs/(database|operations|queue)/|tools/stack/)',
      },
      to: { path: 'node_modules/(typeorm|pg)/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'minio-in-storage',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: '^libs/storage/' },
      to: { path: 'node_modules/minio/' },
    },
    {
      name: 'bullmq-in-queue',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: '^(libs/queue|apps/worker)/' },
      to: { path: 'node_modules/(bullmq|ioredis)/' },
    },
    {
      name: 'http-errors-in-apps',
      severity: 'error',
      from: { path: '^libs/', pathNot: '^libs/runtime/' },
      to: { path: 'node_modules/@nestjs/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['source', 'import', 'require', 'node', 'default', 'types'],
    },
  },
};
