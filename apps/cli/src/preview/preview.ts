import type { Command } from 'commander';
import { toTime } from '../explain/explain.js';
import type { Io } from '../io.js';
import { print, table } from '../output.js';
import { loadPlan } from '../rollout/load-plan.js';
import { checkPlan } from '../rollout/check-plan.js';
import { connectToBrand, type BrandClient, type BrandOptions } from '../session/connect.js';
import { brandCommand } from '../store-command.js';
import { graphql } from '../store/graphql.js';
import { PREVIEW, previewText, type PreviewView } from './preview-text.js';

const RUN = graphql`
  query ($brand: ID!, $input: RolloutInput, $at: [Instant!]) {
    previewRollout(brand: $brand, input: $input, at: $at) { ${PREVIEW} }
  }`;
const DEVICES = graphql`
  query ($brand: ID!, $input: RolloutInput, $at: Instant, $filter: PreviewFilter, $after: String) {
    previewDevices(
      brand: $brand
      input: $input
      at: $at
      filter: $filter
      first: 500
      after: $after
    ) {
      edges {
        node {
          deviceUid
          outcome
          code
          installed
          revision
          sentences
        }
      }
      pageInfo {
        endCursor
        hasNextPage
      }
    }
  }
`;

interface Device {
  readonly deviceUid: string;
  readonly outcome: string;
  readonly code: string;
  readonly installed: number | null;
  readonly revision: number | null;
  readonly sentences: readonly string[];
}

interface DevicePage {
  readonly edges: readonly { readonly node: Device }[];
  readonly pageInfo: { readonly endCursor: string | null; readonly hasNextPage: boolean };
}

interface PreviewOptions extends BrandOptions {
  readonly at?: readonly Date[];
  readonly devices?: string;
}

/** A large fleet takes its time. */
const LIMIT_MS = 300_000;

/** `brandstore preview plan.yaml` (update-control.md 2.10). */
export const previewCommand = (io: Io): Command =>
  brandCommand('preview')
    .description('what a plan would do to each device; nothing is written')
    .argument('<plan>', 'plan file')
    .option('--at <time>', 'the fleet at that moment instead of the end; more than once', toTimes)
    .option('--devices <code>', 'list the devices with this reason, such as NOT_INSTALLED')
    .action((file: string, options: PreviewOptions) => preview(io, file, options));

const toTimes = (text: string, before: readonly Date[] = []): Date[] => [...before, toTime(text)];

async function preview(io: Io, file: string, options: PreviewOptions): Promise<void> {
  const brand = await connectToBrand(io, options);
  const plan = await loadPlan(io, brand, file);
  await checkPlan(brand, plan);
  const variables = { brand: brand.brandId, input: plan.input };
  if (options.devices !== undefined) {
    const at = options.at?.[0]?.toISOString() ?? null;
    const found = await listDevices(brand, { ...variables, at, filter: { code: options.devices } });
    return print(io, options, found, devicesText(found));
  }
  const at = options.at?.map((one) => one.toISOString()) ?? [];
  const { previewRollout } = await brand.store.query<{ previewRollout: PreviewView }>(
    RUN,
    { ...variables, at },
    LIMIT_MS,
  );
  print(io, options, previewRollout, previewText(previewRollout));
}

async function listDevices({ store }: BrandClient, variables: object): Promise<Device[]> {
  const found: Device[] = [];
  for (let after: string | null = null; ;) {
    const answer: { readonly previewDevices: DevicePage } = await store.query(
      DEVICES,
      { ...variables, after },
      LIMIT_MS,
    );
    const { edges, pageInfo } = answer.previewDevices;
    found.push(...edges.map(({ node }) => node));
    after = pageInfo.endCursor;
    if (!pageInfo.hasNextPage) return found;
  }
}

const devicesText = (devices: readonly Device[]): string =>
  devices.length === 0
    ? 'no device'
    : table(
        ['device', 'outcome', 'has', 'gets', 'because'],
        devices.map((one) => [
          one.deviceUid,
          one.outcome,
          one.installed,
          one.revision,
          one.sentences[0],
        ]),
      );
