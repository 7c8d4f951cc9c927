import type { Command } from 'commander';
import type { Io } from '../io.js';
import { facts, print, table } from '../output.js';
import { Failure } from '../usage.js';
import { connectToVault, vaultCommandOf, type VaultOptions } from './connect.js';
import { VAULT_REFUSALS, vaultGraphql } from './vault-graphql.js';

const GO = vaultGraphql`
  query ($brand: ID!, $model: ID!, $serials: [ID!]!) {
    lineStates(brand: $brand, model: $model, serials: $serials) { serial isListed issuedAt sessionAt polledAt isGo missing }
  }`;
const DRY = vaultGraphql`
  query ($brand: ID!, $model: ID!, $serial: String!) {
    wouldSign(brand: $brand, model: $model, serial: $serial) { outcome verdicts { step name passed message } }
  }`;
const SWAP = vaultGraphql`
  mutation ($brand: ID!, $model: ID!, $serial: ID!, $newSerial: ID!, $reason: String!) {
    swapBoard(brand: $brand, model: $model, serial: $serial, newSerial: $newSerial, reason: $reason) {
      __typename ... on Device { model serial revokedAt } ${VAULT_REFUSALS}
    }
  }`;

interface LineState {
  readonly serial: string;
  readonly isGo: boolean;
  readonly missing: string;
}

interface DryRun {
  readonly outcome: string;
  readonly verdicts: readonly { readonly passed: boolean; readonly message: string }[];
}

/** What the line asks and does beside orders and approvals. */
export function lineCommands(io: Io): readonly Command[] {
  return [
    vaultCommandOf('go')
      .description('go or no go: serial issued, session opened, first poll seen')
      .argument('<model>')
      .argument('<serials...>')
      .action((model: string, serials: string[], options: VaultOptions) =>
        go(io, model, serials, options),
      ),
    vaultCommandOf('would-sign')
      .description('would this serial be signed, and if not why; signs nothing')
      .argument('<model>')
      .argument('<serial>')
      .action((model: string, serial: string, options: VaultOptions) =>
        wouldSign(io, model, serial, options),
      ),
    vaultCommandOf('reconcile')
      .description('compares an order with what was built and what was registered; prints CSV')
      .argument('<model>')
      .argument('<file>', 'CSV of what was built, with a column serial; - is input')
      .requiredOption('--order <name>', 'the order')
      .action((model: string, file: string, options: VaultOptions & { order: string }) =>
        reconcile(io, model, file, options),
      ),
    vaultCommandOf('swap')
      .description('a new board in an old case: the old serial ends, the new one inherits')
      .argument('<model>')
      .argument('<serial>')
      .argument('<new-serial>')
      .requiredOption('--reason <text>', 'for the logs')
      .action(
        (
          model: string,
          serial: string,
          newSerial: string,
          options: VaultOptions & { reason: string },
        ) => swap(io, { model, serial, newSerial }, options),
      ),
  ];
}

/** Fails when any is no go, so that a script on the line stops. */
async function go(io: Io, model: string, serials: string[], options: VaultOptions): Promise<void> {
  const { vault, brandId } = await connectToVault(io, options);
  const variables = { brand: brandId, model, serials };
  const { lineStates } = await vault.query<{ lineStates: readonly LineState[] }>(GO, variables);
  const rows = lineStates.map((one) => [one.serial, one.isGo ? 'go' : 'no go', one.missing]);
  print(io, options, lineStates, table(['serial', 'verdict', 'missing'], rows));
  const stopped = lineStates.filter(({ isGo }) => !isGo).length;
  if (stopped > 0) throw new Failure(`no go for ${stopped} of ${lineStates.length}`);
}

async function wouldSign(
  io: Io,
  model: string,
  serial: string,
  options: VaultOptions,
): Promise<void> {
  const { vault, brandId } = await connectToVault(io, options);
  const variables = { brand: brandId, model, serial };
  const { wouldSign: run } = await vault.query<{ wouldSign: DryRun }>(DRY, variables);
  const why = run.verdicts.find(({ passed }) => !passed)?.message ?? '';
  print(io, options, run, facts({ serial, 'would be': run.outcome, why }));
}

async function reconcile(
  io: Io,
  model: string,
  file: string,
  options: VaultOptions & { order: string },
): Promise<void> {
  const { vault, brandId } = await connectToVault(io, options);
  const query = new URLSearchParams({ order: options.order }).toString();
  const path = `/admin/v1/brands/${brandId}/models/${encodeURIComponent(model)}/reconciliation?${query}`;
  const csv = await vault.exchangeText(path, (await io.read(file)).toString(), 'text/csv');
  print(io, options, { csv }, csv.trimEnd());
}

async function swap(
  io: Io,
  named: { model: string; serial: string; newSerial: string },
  options: VaultOptions & { reason: string },
): Promise<void> {
  const { vault, brandId } = await connectToVault(io, options);
  const variables = { brand: brandId, ...named, reason: options.reason };
  const done = await vault.act<{ model: string; serial: string }>(SWAP, variables);
  print(io, options, done, facts({ model: done.model, ended: done.serial, goes: named.newSerial }));
}
