import { randomBytes } from 'node:crypto';
import type { VaultRole } from '#libs/database';
import { BRAND, mutate, query, type Administered } from '../vault-kit.js';

/** Somebody with a login. */
export interface LoggedIn {
  readonly id: string;
  readonly email: string;
  readonly password: string;
  /** Of their session. */
  readonly token: string;
}

/** A new person of the brand, invited and logged in; what needs eyes is decided by no token (decisions 26). */
export async function loggedIn(
  vault: Administered,
  roles: readonly VaultRole[],
  brand = BRAND,
): Promise<LoggedIn> {
  const email = `${roles.join('-')}-${randomBytes(4).toString('hex')}@acme.example`;
  const password = 'a long enough password';
  const act = <T>(call: string, type: string, fields: string): Promise<T> =>
    mutate<T>(vault, vault.token, call, type, fields);
  const named = roles.map((role) => role.replaceAll('-', '_')).join(', ');
  const { id } = await act<{ id: string }>(
    `setMember(brand: "${brand}", input: { email: "${email}", displayName: "Somebody", roles: [${named}] })`,
    'Member',
    'id',
  );
  const { invitation } = await act<{ invitation: string }>(
    `inviteMember(brand: "${brand}", id: "${id}")`,
    'Invitation',
    'invitation',
  );
  const { token } = await act<{ token: string }>(
    `acceptInvitation(invitation: "${invitation}", password: "${password}")`,
    'Session',
    'token',
  );
  return { id, email, password, token };
}

/** An approver decides on a waiting request. */
export async function decide(
  vault: Administered,
  verb: 'approve' | 'refuse',
  id: string | undefined,
  brand = BRAND,
): Promise<{ state: string }> {
  const { token } = await loggedIn(vault, ['approver'], brand);
  const call = `${verb}Request(brand: "${brand}", id: "${id}", reason: "seen")`;
  return mutate(vault, token, call, 'PendingRequest', 'state');
}

/** An approver lets the device in that waits for this serial. */
export const approveSerial = (vault: Administered, serial: string, brand?: string): Promise<void> =>
  decideOnSerial(vault, 'approve', serial, brand);

/** An approver refuses the device that waits for this serial. */
export const refuseSerial = (vault: Administered, serial: string, brand?: string): Promise<void> =>
  decideOnSerial(vault, 'refuse', serial, brand);

async function decideOnSerial(
  vault: Administered,
  verb: 'approve' | 'refuse',
  serial: string,
  brand = BRAND,
): Promise<void> {
  const { pending } = await query<{ pending: { id: string; serial: string }[] }>(
    vault,
    vault.token,
    `{ pending(brand: "${brand}") { id serial } }`,
  );
  await decide(vault, verb, pending.find((one) => one.serial === serial)?.id, brand);
}

/** Two people disable a key that signs for these models. */
export async function disableKey(
  vault: Administered,
  keyId: string,
  models: readonly string[],
): Promise<void> {
  const named = `brand: "${BRAND}", keyId: "${keyId}", confirmModels: ${JSON.stringify(models)}`;
  const act = (bearer: string, call: string): Promise<unknown> =>
    mutate(vault, bearer, call, 'SigningKey', 'isEnabled');
  await act(vault.token, `setSigningKeyEnabled(${named}, isEnabled: false)`);
  const { token } = await loggedIn(vault, ['key-custodian']);
  await act(token, `confirmKeyDisabling(${named})`);
}
