import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Specs that need a realm of their own: the schema's, since Nest keeps one set of GraphQL types; the others forbid globals to everybody. */
const ALONE = [
  'apps/serial-vault/src/graphql/print-schema.spec.ts',
  'libs/update-control/src/{purity,resolve}.spec.ts',
];
// Specs that start processes of their own take seconds: they run with the end-to-end tests.
const PROCESSES = '**/*.process.spec.ts';
// What measures time or load, counts what lies in shared folders, or drives a clock through days has the machine for itself.
const ALONE_ON_SERVICES = [
  'test/stack/{blob-store,bootstrap,jobs,ports}.e2e.spec.ts',
  'test/access/isolation.e2e.spec.ts',
  'test/device/{downloads,overload}.e2e.spec.ts',
  'test/policy/stops.e2e.spec.ts',
  'test/publisher/hard-uploads.e2e.spec.ts',
  'test/signals/large-count.e2e.spec.ts',
  'test/story/rollout-run.e2e.spec.ts',
];
// Each has the vault's GraphQL types in its process, of which Nest keeps one set: they share a realm with each other only.
const WITH_VAULT = [
  'test/vault/**/*.e2e.spec.ts',
  'test/access/vault-matrix.e2e.spec.ts',
  'test/cli/vault.e2e.spec.ts',
  'test/trust/{own-snapd,own-snapd-updates,simple-way}.e2e.spec.ts',
];
// Minutes each: begun last they would keep one worker while the other has nothing left to do.
const LONG = ['faults/handlers', 'vault/kill', 'admin/store-key', 'cli/publish'];
class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification): boolean =>
      LONG.some((name) => moduleId.endsWith(`/test/${name}.e2e.spec.ts`));
    const sorted = await super.sort(files);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}
const ON_SERVICES = {
  globalSetup: ['test/support/global-setup.ts'],
  testTimeout: 60_000,
  hookTimeout: 120_000,
};

/** Now and then they wait for their services; loading the rooms anew would take longer than many of them. */
const SOME_AT_ONCE = { maxWorkers: 3, isolate: false };

// `source` makes `#libs/*` resolve to the TypeScript sources; the graphql alias keeps one realm of that package.
export default defineConfig({
  resolve: { alias: { graphql: 'graphql/index.js' } },
  ssr: { resolve: { conditions: ['source', 'module', 'node'] } },
  test: {
    // A worker that ends while the machine is busy is waited for; else a run without a failed test fails.
    teardownTimeout: 60_000,
    sequence: { sequencer: LongFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['{apps,libs,tools}/**/*.spec.ts'],
          exclude: [PROCESSES, ...ALONE],
          // Loading the rooms anew for each file would take longer than the tests.
          isolate: false,
          // Of two processors Vitest would leave one free.
          maxWorkers: '100%',
          testTimeout: 20_000,
        },
      },
      {
        extends: true,
        test: {
          ...{ name: 'unit-alone', include: ALONE, testTimeout: 20_000 },
          maxWorkers: '100%',
        },
      },
      {
        extends: true,
        test: {
          ...ON_SERVICES,
          name: 'e2e',
          include: ['test/**/*.e2e.spec.ts', `{apps,libs}/${PROCESSES}`],
          exclude: [...ALONE_ON_SERVICES, ...WITH_VAULT],
          ...SOME_AT_ONCE,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          ...ON_SERVICES,
          name: 'e2e-vault',
          include: WITH_VAULT,
          exclude: ALONE_ON_SERVICES,
          ...SOME_AT_ONCE,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          ...ON_SERVICES,
          name: 'e2e-alone',
          include: ALONE_ON_SERVICES,
          fileParallelism: false,
          isolate: false,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
