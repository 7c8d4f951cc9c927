import { defineConfig } from 'vitest/config';

// `source` makes `#libs/*` resolve to the TypeScript sources; the graphql alias keeps one realm of that package.
export default defineConfig({
  resolve: { alias: { graphql: 'graphql/index.js' } },
  ssr: { resolve: { conditions: ['source', 'module', 'node'] } },
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['{apps,libs,tools}/**/*.spec.ts'],
          // Specs that start processes of their own take seconds: they run with the end-to-end tests.
          exclude: ['**/*.process.spec.ts'],
          testTimeout: 20_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/**/*.e2e.spec.ts', '{apps,libs}/**/*.process.spec.ts'],
          fileParallelism: false,
          globalSetup: ['test/support/global-setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
