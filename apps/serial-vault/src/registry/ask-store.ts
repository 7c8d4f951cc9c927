import { createVerify, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { accountKeyOf, header, type AssertionDatabase } from '#libs/assertions';
import type { VaultResources } from '../resources.js';
import { findBrandKey } from '../trust/brand-key.js';

const REQUEST_MS = 10_000;

/** What the store knows, by the kind of question; the path has the same name. */
const ANSWERS = {
  models: z.object({
    id: z.string(),
    'brand-id': z.string(),
    assertions: z.string(),
    models: z.array(z.object({ assertion: z.string(), 'inactive-reason': z.string().nullable() })),
  }),
  devices: z.object({
    id: z.string(),
    'brand-id': z.string(),
    devices: z.array(
      z.object({
        serial: z.string(),
        'session-at': z.iso.datetime().nullable(),
        'polled-at': z.iso.datetime().nullable(),
      }),
    ),
  }),
} as const;
type Kind = keyof typeof ANSWERS;
type AnswerTo<K extends Kind> = z.output<(typeof ANSWERS)[K]>;

/** The store's registry of one brand, as the store signed it. */
export type RegistryAnswer = AnswerTo<'models'>;

/** Why nothing was learnt; what was learnt before still holds. */
export class StoreSilent extends Error {
  override readonly name = 'StoreSilent';
}

/**
 * Asks the store about a brand and checks that its store key signed the answer to this very question (ARCHITECTURE.md,
 * "Between store and vault"). Throws `StoreSilent`.
 */
export async function askStore<K extends Kind>(
  resources: VaultResources,
  kind: K,
  brandId: string,
  details: Readonly<Record<string, unknown>> = {},
  stopping?: AbortSignal,
): Promise<AnswerTo<K>> {
  const { settings, trust } = resources;
  if (settings.storeUrl === null) throw new StoreSilent('no STORE_URL is set');
  const signer = await findBrandKey(resources, brandId);
  if (signer === null) throw new StoreSilent('the brand has no certified serial key');
  const id = randomUUID();
  const question = Buffer.from(JSON.stringify({ id, kind, 'brand-id': brandId, ...details }));
  const answer = await fetch(`${settings.storeUrl}/api/v1/vault/${kind}`, {
    method: 'POST',
    redirect: 'error',
    signal: AbortSignal.any([AbortSignal.timeout(REQUEST_MS), ...(stopping ? [stopping] : [])]),
    headers: {
      'content-type': 'application/json',
      'vault-key': signer.publicKey.id,
      'vault-signature': Buffer.from(await signer.sign(question)).toString('base64'),
    },
    body: question,
  }).catch((error: unknown) => {
    throw new StoreSilent('the store does not answer', { cause: error });
  });
  const body = Buffer.from(await answer.arrayBuffer());
  if (answer.status !== 200) throw new StoreSilent(`the store answered ${answer.status}`);
  requireStoreSignature(await trust.database(), answer.headers, body);
  const parsed = ANSWERS[kind].safeParse(JSON.parse(body.toString('utf8')));
  if (!parsed.success || parsed.data.id !== id || parsed.data['brand-id'] !== brandId)
    throw new StoreSilent('the store answered another question');
  // TypeScript does not follow that the schema is the one of this kind.
  return parsed.data as AnswerTo<K>;
}

/** By a key of the account that owns the root, which the vault knows with the brand's chain. */
function requireStoreSignature(trusted: AssertionDatabase, headers: Headers, body: Buffer): void {
  const key = trusted.find('account-key', [headers.get('store-key') ?? '']);
  const isOperators = key !== undefined && trusted.isTrustedAccount(header(key, 'account-id'));
  const signature = Buffer.from(headers.get('store-signature') ?? '', 'base64');
  if (
    !isOperators ||
    !createVerify('sha512').update(body).verify(accountKeyOf(key).publicKey.key, signature)
  )
    throw new StoreSilent('the answer is not signed by a store key that this vault knows');
}
