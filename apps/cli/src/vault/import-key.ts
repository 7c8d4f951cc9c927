import type { Command } from 'commander';
import { wrapForSigner } from '#libs/keyring';
import type { Io } from '../io.js';
import { facts, print } from '../output.js';
import { connectToVault, vaultCommandOf, type VaultOptions } from './connect.js';
import { VAULT_REFUSALS, vaultGraphql } from './vault-graphql.js';

const TRANSPORT = vaultGraphql`query ($brand: ID!) { keyTransport(brand: $brand) }`;
const IMPORT = vaultGraphql`
  mutation ($brand: ID!, $name: String!, $key: String!) {
    importSigningKey(brand: $brand, name: $name, key: $key) {
      __typename ... on SigningKey { keyId name accountKeyRequest } ${VAULT_REFUSALS}
    }
  }`;

interface ImportedKey {
  readonly keyId: string;
  readonly name: string;
  readonly accountKeyRequest: string;
}

type Options = VaultOptions & { readonly passphraseFile?: string };

/** `brandstore vault import-key`: the key is encrypted here for the vault's signer; nothing between reads it. */
export const importKeyCommand = (io: Io): Command =>
  vaultCommandOf('import-key')
    .description('a signing key made elsewhere; prints the account-key-request for the store')
    .argument('<name>')
    .argument(
      '<file>',
      'RSA of 4096 bits or more: PEM, armour of GnuPG, or a file of snapd; - is input',
    )
    .option('--passphrase-file <file>', 'what the key is locked with')
    .action((name: string, file: string, options: Options) => importKey(io, name, file, options));

async function importKey(io: Io, name: string, file: string, options: Options): Promise<void> {
  const { vault, brandId } = await connectToVault(io, options);
  const text = (await io.read(file)).toString();
  const passphrase =
    options.passphraseFile === undefined
      ? undefined
      : (await io.read(options.passphraseFile)).toString().replace(/\r?\n$/, '');
  const { keyTransport } = await vault.query<{ keyTransport: string }>(TRANSPORT, {
    brand: brandId,
  });
  const key = wrapForSigner(keyTransport, { text, passphrase });
  const imported = await vault.act<ImportedKey>(IMPORT, { brand: brandId, name, key });
  const told = facts({ key: imported.keyId, name: imported.name });
  print(io, options, imported, `${told}\n\n${imported.accountKeyRequest}`);
}
