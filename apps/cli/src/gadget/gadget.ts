import { Command } from 'commander';
import type { Io } from '../io.js';
import { Failure } from '../usage.js';
import { connectToVault, vaultCommandOf, type VaultOptions } from '../vault/connect.js';
import { vaultGraphql } from '../vault/vault-graphql.js';
import { prepareDeviceHook } from './prepare-device.js';

const MODELS = vaultGraphql`
  query ($brand: ID!) { models(brand: $brand) { model policy { needsApiKey } } }`;

interface Model {
  readonly model: string;
  readonly policy: { readonly needsApiKey: boolean } | null;
}

type HookOptions = VaultOptions & {
  readonly apiKeyFile: string;
  readonly serialFile: string;
};

/** `brandstore gadget hook MODEL`: the `prepare-device` hook for that model and vault. */
export function gadgetCommand(io: Io): Command {
  const command = new Command('gadget').description('what a gadget needs to register its devices');
  command.addCommand(
    vaultCommandOf('hook')
      .description('prints meta/hooks/prepare-device for a model, and how to guard its API key')
      .argument('<model>')
      .option('--api-key-file <path>', 'where the hook reads the key', '$SNAP/api-key')
      .option('--serial-file <path>', 'and the serial', '/sys/class/dmi/id/product_serial')
      .action((model: string, options: HookOptions) => hook(io, model, options)),
  );
  return command;
}

async function hook(io: Io, name: string, options: HookOptions): Promise<void> {
  const { vault, brandId } = await connectToVault(io, options);
  const { models } = await vault.query<{ models: Model[] }>(MODELS, { brand: brandId });
  const model = models.find((one) => one.model === name);
  if (model === undefined) throw new Failure(`cannot find model ${name} in this vault`);
  if (model.policy === null)
    throw new Failure(`cannot write a hook for ${name}: it has no policy, nobody registers for it`);
  const { apiKeyFile, serialFile } = options;
  io.out(
    prepareDeviceHook({
      model: name,
      vaultUrl: vault.url,
      apiKeyFile: model.policy.needsApiKey ? apiKeyFile : null,
      serialFile,
    }),
  );
}
