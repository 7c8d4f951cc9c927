import { Command } from 'commander';
import type { Io } from '../io.js';
import { facts, print, table } from '../output.js';
import { Failure } from '../usage.js';
import { connectAsPerson, connectToVault, vaultCommandOf, type VaultOptions } from './connect.js';
import { lineCommands } from './line.js';
import { importDumpCommand } from './import-dump.js';
import { importKeyCommand } from './import-key.js';
import { loginCommands } from './login.js';
import { logCommand } from './log.js';
import { VAULT_REFUSALS, vaultGraphql } from './vault-graphql.js';

const STATUS = vaultGraphql`
  query ($brand: ID!) {
    models(brand: $brand) { model isActive registryReason policyRevision policy { signingKeyId } }
    signingKeys(brand: $brand) { keyId name isEnabled isCertified }
    orders(brand: $brand) { model name listed registered }
    pending(brand: $brand) { id model serial deviceKeyId createdAt expiresAt }
  }`;
const PENDING = vaultGraphql`query ($brand: ID!) { pending(brand: $brand) { id model serial deviceKeyId createdAt } }`;
const APPROVE = vaultGraphql`
  mutation ($brand: ID!, $id: ID!, $reason: String!) {
    approveRequest(brand: $brand, id: $id, reason: $reason) {
      __typename ... on PendingRequest { id model serial state } ${VAULT_REFUSALS}
    }
  }`;
const REFUSE = vaultGraphql`
  mutation ($brand: ID!, $id: ID!, $reason: String!) {
    refuseRequest(brand: $brand, id: $id, reason: $reason) {
      __typename ... on PendingRequest { id model serial state } ${VAULT_REFUSALS}
    }
  }`;

interface Waiting {
  readonly id: string;
  readonly model: string;
  readonly serial: string;
  readonly deviceKeyId: string;
  readonly createdAt: string;
}

interface Status {
  readonly models: readonly {
    readonly model: string;
    readonly isActive: boolean;
    readonly registryReason: string | null;
    readonly policyRevision: number;
    readonly policy: { readonly signingKeyId: string } | null;
  }[];
  readonly signingKeys: readonly {
    readonly keyId: string;
    readonly name: string;
    readonly isEnabled: boolean;
    readonly isCertified: boolean;
  }[];
  readonly orders: readonly {
    readonly model: string;
    readonly name: string;
    readonly listed: number;
    readonly registered: number;
  }[];
  readonly pending: readonly Waiting[];
}

type ImportOptions = VaultOptions & { readonly order: string };
type DecideOptions = VaultOptions & { readonly reason: string };

const epilogue = `
Environment: BRANDSTORE_VAULT_URL, BRANDSTORE_VAULT_TOKEN (a token of the vault), BRANDSTORE_BRAND.
A token does all but approve and refuse: these need a person, \`brandstore vault login\`.`;

/** `brandstore vault …`: the factory floor. */
export function vaultCommand(io: Io): Command {
  const command = new Command('vault')
    .description('registration of devices: state, orders, approvals, log')
    .addHelpText('after', epilogue);
  command.addCommand(
    vaultCommandOf('status')
      .description('models and their keys, orders, and who waits for a decision')
      .action((options: VaultOptions) => status(io, options)),
  );
  command.addCommand(
    vaultCommandOf('import')
      .description('serials to come; all lines or none')
      .argument('<model>')
      .argument(
        '<file>',
        'CSV whose first line names its columns: serial, order, batch; - is input',
      )
      .option('--order <name>', 'for lines that name none', '')
      .action((model: string, file: string, options: ImportOptions) =>
        importOrder(io, model, file, options),
      ),
  );
  for (const [name, text, document] of [
    ['approve', 'the waiting device gets the serial', APPROVE],
    ['refuse', 'the waiting device never gets the serial', REFUSE],
  ] as const)
    command.addCommand(
      vaultCommandOf(name)
        .description(text)
        .argument('<request>', 'its id or serial')
        .requiredOption('--reason <text>', 'for the logs')
        .action((request: string, options: DecideOptions) =>
          decide(io, request, options, document),
        ),
    );
  for (const more of lineCommands(io)) command.addCommand(more);
  command.addCommand(logCommand(io));
  command.addCommand(importKeyCommand(io));
  command.addCommand(importDumpCommand(io));
  for (const own of loginCommands(io)) command.addCommand(own);
  return command;
}

async function status(io: Io, options: VaultOptions): Promise<void> {
  const { vault, brandId } = await connectToVault(io, options);
  const found = await vault.query<Status>(STATUS, { brand: brandId });
  const nameOf = new Map(found.signingKeys.map((key) => [key.keyId, key]));
  const models = found.models.map(({ model, isActive, policyRevision, policy }) => {
    const key = nameOf.get(policy?.signingKeyId ?? '');
    const isReady = isActive && key?.isEnabled === true && key.isCertified;
    return [model, isActive, policyRevision, key?.name, isReady];
  });
  const orders = found.orders.map((one) => [one.model, one.name, one.listed, one.registered]);
  const waiting = found.pending.map((one) => [one.id, one.model, one.serial, one.createdAt]);
  const text = [
    table(['model', 'active', 'policy', 'key', 'registers'], models),
    table(['order of model', 'order', 'listed', 'registered'], orders),
    table(['waiting', 'model', 'serial', 'since'], waiting),
  ];
  print(io, options, found, text.join('\n'));
}

async function importOrder(
  io: Io,
  model: string,
  file: string,
  options: ImportOptions,
): Promise<void> {
  const { vault, brandId } = await connectToVault(io, options);
  const query = new URLSearchParams({ order: options.order });
  const path = `/admin/v1/brands/${brandId}/models/${encodeURIComponent(model)}/serials?${query.toString()}`;
  const report = await vault.sendText<{ given: number; added: number }>(
    path,
    (await io.read(file)).toString(),
    'text/csv',
  );
  print(io, options, report, facts({ serials: report.given, new: report.added }));
}

async function decide(
  io: Io,
  request: string,
  options: DecideOptions,
  document: string,
): Promise<void> {
  const { vault, brandId } = await connectAsPerson(io, options);
  const { pending } = await vault.query<Pick<Status, 'pending'>>(PENDING, { brand: brandId });
  const meant = pending.filter(({ id, serial }) => id === request || serial === request);
  const [one, another] = meant;
  if (one === undefined) throw new Failure(`cannot find ${request} among those that wait`);
  if (another !== undefined)
    throw new Failure(
      `cannot tell which request is meant: ${meant.map(({ id, model }) => `${id} (${model})`).join(', ')}`,
    );
  const variables = { brand: brandId, id: one.id, reason: options.reason };
  const decided = await vault.act<Waiting & { state: string }>(document, variables);
  const { model, serial, state } = decided;
  print(io, options, decided, facts({ model, serial, state }));
}
