import { STRICT_SERIAL, type AssertionDatabase } from '#libs/assertions';
import { hasOtherSerials, VaultApiKey, VaultModel, VaultSigningKey, type Tx } from '#libs/database';
import { putPolicy } from '../administration/model.service.js';
import { readPolicy } from '../administration/policy.schema.js';
import type { VaultPrincipal } from '../administration/token.service.js';
import { findRegisteredModel } from '../registration/registered-model.js';
import type { ImportTally } from './import-report.js';
import type { FormerModel } from './stage-dump.js';

const API_KEYS = 'API keys of models';

/**
 * Models with the key that signed for them and the API key of their gadgets. The policy is this vault's default for the rest: a
 * duplicate is held, not merely logged (serial-vault.md 21.3). One whose key cannot sign here is inactive until people see to it.
 */
export async function takeModels(
  tx: Tx,
  who: VaultPrincipal,
  models: readonly FormerModel[],
  trusted: AssertionDatabase,
  tally: ImportTally,
): Promise<void> {
  for (const model of models) {
    const { brandId, name } = model;
    tally.count(API_KEYS, 'read');
    if (await findRegisteredModel(tx, brandId, name)) tally.count('model', 'alreadyThere');
    else {
      await takeModel(tx, who, model, await whyNotReady(tx, model, trusted), tally);
      tally.count('model', 'taken');
    }
    await takeApiKey(tx, model, tally);
  }
}

async function takeModel(
  tx: Tx,
  who: VaultPrincipal,
  { brandId, name: model, key }: FormerModel,
  whyNot: string | null,
  tally: ImportTally,
): Promise<void> {
  const isActive = whyNot === null;
  if (await tx.existsBy(VaultModel, { brandId, model })) {
    if (!isActive) await tx.update(VaultModel, { brandId, model }, { isActive });
  } else await tx.insert(VaultModel, { brandId, model, revision: 0, bytes: null, isActive });
  const isStrict = !(await hasOtherSerials(tx, brandId, model, STRICT_SERIAL));
  const policy = readPolicy({
    signingKeyId: key.keyId,
    serialForm: isStrict ? 'strict' : 'legacy',
  });
  await putPolicy(tx, who, brandId, model, policy, 'import-model');
  if (whyNot !== null) tally.toDo.add(`model ${brandId}/${model} is inactive: ${whyNot}`);
}

/** Null: its key can sign here now. */
async function whyNotReady(
  tx: Tx,
  { brandId, key: { keyId, name, isActive } }: FormerModel,
  trusted: AssertionDatabase,
): Promise<string | null> {
  const what = `signing key ${keyId} (${name})`;
  if (!isActive) return `${what} was disabled in the former vault`;
  const held = await tx.findOneBy(VaultSigningKey, { keyId, brandId, purpose: 'serial' });
  if (held === null)
    return `import ${what}, or give the model a key of this vault; then activate it`;
  if (!held.isEnabled) return `${what} is disabled`;
  if (!trusted.find('account-key', [keyId]))
    return `certify ${what}: import its account-key; then activate it`;
  return null;
}

async function takeApiKey(
  tx: Tx,
  { brandId, name: model, apiKey }: FormerModel,
  tally: ImportTally,
): Promise<void> {
  if (apiKey === null) {
    tally.skip(API_KEYS, 'not of 40 to 128 visible characters');
    tally.toDo.add(`make an API key for model ${brandId}/${model} and ship it in its gadget`);
    return;
  }
  await tx.query(`SELECT pg_advisory_xact_lock(hashtext('api key ' || $1))`, [apiKey.lookup]);
  const held = await tx.findOneBy(VaultApiKey, { lookup: apiKey.lookup, hash: apiKey.hash });
  if (held === null) {
    await tx.insert(VaultApiKey, { brandId, model, name: 'former vault', ...apiKey });
    tally.count(API_KEYS, 'taken');
  } else if (held.brandId === brandId && held.model === model)
    tally.count(API_KEYS, 'alreadyThere');
  else {
    tally.skip(API_KEYS, 'another model has the same one');
    tally.toDo.add(`make an API key of its own for model ${brandId}/${model}`);
  }
}
