import { readFile } from 'node:fs/promises';
import { decodeAssertions } from '#libs/assertions';
import { BrandAdmin } from '../../clients/brand-admin.js';
import { GraphQLClient } from '../../clients/graphql.js';
import { VaultAdmin } from '../../clients/vault-admin.js';
import { known, type Story } from './story.js';

/** Step 1: the installation has its root and store key; ACME gets an account, a store, its people, and a vault that makes a key for it. */
export async function foundTheStore(story: Story): Promise<void> {
  const { installation, narrator } = story;
  const { operatorEmail, password, rootKeyFile, rootAssertions } = installation.store;
  story.trusted = decodeAssertions(await readFile(rootAssertions));
  narrator.say(
    `root account and key: ${story.trusted.map(({ type, primaryKey }) => `${type}/${primaryKey.join('/').slice(0, 12)}…`).join(', ')}`,
  );
  narrator.say(`root key sealed into ${rootKeyFile}: take it off this machine`);
  const graphql = new GraphQLClient(`${installation.storeUrl}/graphql`);
  story.operator = await BrandAdmin.login(
    graphql,
    operatorEmail,
    password ?? story.operatorPassword ?? '',
  );
  const { brandId, storeId } = await story.operator.createBrand('acme', 'ACME Corp', 'acme-main');
  story.brandId = brandId;
  story.storeId = storeId;
  narrator.say(`brand acme: account ${brandId}, store ${storeId}`);
  await meetTheVault(story);
  const duties = ['admin', 'releaser', 'operator', 'publisher'];
  [story.planner, story.approver] = await Promise.all([
    story.operator.addPerson(brandId, 'paula@acme.example', 'Paula, plans releases', duties),
    story.operator.addPerson(brandId, 'aron@acme.example', 'Aron, approves them', ['approver']),
  ]);
  narrator.say('Paula plans releases, Aron approves them; both are logged in');
}

/** The vault makes ACME's serial key while ACME's publisher works: it takes a processor seconds. */
async function meetTheVault(story: Story): Promise<void> {
  const { installation, narrator } = story;
  const operator = known(story.operator, 'the operator');
  const brandId = known(story.brandId, 'the brand');
  const token = known(installation.vault.token ?? story.vaultToken, 'the token of the vault');
  const vault = new VaultAdmin(new GraphQLClient(`${installation.vaultUrl}/graphql`, token));
  story.vault = vault;
  await vault.registerBrand(brandId, await operator.accountChain(brandId));
  story.serialKey = vault.createSigningKey(brandId, 'acme-serials');
  // Whoever waits for it is told; a story that ends before is not torn by it.
  story.serialKey.catch(() => undefined);
  narrator.say('the Serial Vault knows ACME and begins to make a serial key for it');
}
