import { readFile } from 'node:fs/promises';
import { decodeAssertions } from '#libs/assertions';
import { BrandAdmin } from '../../clients/brand-admin.js';
import { GraphQLClient } from '../../clients/graphql.js';
import type { Story } from './story.js';

/** Step 1: the installation has its root and store key; ACME gets an account, a store and its people. */
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
  story.planner = await story.operator.addPerson(
    brandId,
    'paula@acme.example',
    'Paula, plans releases',
    ['admin', 'releaser', 'operator', 'publisher'],
  );
  story.approver = await story.operator.addPerson(
    brandId,
    'aron@acme.example',
    'Aron, approves them',
    ['approver'],
  );
  narrator.say('Paula plans releases, Aron approves them; both are logged in');
}
