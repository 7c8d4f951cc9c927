import {
  NO_BRAND,
  recordVaultAudit,
  VaultMember,
  type Database,
  type ProvenPerson,
  type Tx,
} from '#libs/database';
import type { ProviderIdentity } from '../oidc/oidc-provider.js';
import { isRefusedLogin } from './login-patience.js';
import { VaultError } from './vault-error.js';
import { findBrand, recordLogin } from './vault-session.js';

/**
 * Which person of the brand that is: whom this identity was linked to, whatever their mail address is by now, else who has
 * the mail address that the provider has checked. Throws `unauthorized`; nobody is made by a login.
 */
export async function memberOf(
  tx: Tx,
  brand: string,
  identity: ProviderIdentity,
): Promise<VaultMember> {
  const { issuer, subject, verifiedEmail: email } = identity;
  const brandId = (await findBrand(tx, brand))?.id ?? NO_BRAND;
  const linked = { brandId, identityIssuer: issuer, identitySubject: subject };
  const known = await tx.findOneBy(VaultMember, linked);
  if (known !== null) return requirePresent(known, brand);
  if (email === null)
    throw refused('the provider has not checked your mail address, by which a first login goes');
  const member = await tx.findOneBy(VaultMember, { brandId, email });
  if (member === null) throw refused(`${email} is no member of ${brand}; its admins add members`);
  return requireUnlinked(requirePresent(member, brand));
}

/** From the first login on it is the identity that counts; the row of the person is locked. */
export async function linkIdentity(
  tx: Tx,
  member: VaultMember,
  { issuer, subject }: ProvenPerson,
): Promise<void> {
  if (member.identityIssuer === issuer && member.identitySubject === subject) return;
  const { id } = requireUnlinked(member);
  await tx.update(VaultMember, { id }, { identityIssuer: issuer, identitySubject: subject });
  await recordLogin(tx, 'link-identity', member, { provider: issuer, subject });
}

/** They are still in the brand. */
export function requirePresent(member: VaultMember, brand: string): VaultMember {
  if (member.removedAt === null) return member;
  throw refused(`${member.email} is no member of ${brand} any more`);
}

/** A mail address may pass to somebody else, and a provider gives way to another: neither makes them the same person. */
function requireUnlinked(member: VaultMember): VaultMember {
  if (member.identitySubject === null) return member;
  throw refused(
    `${member.email} is known by another identity at a provider; an admin who invites them anew ends that`,
  );
}

const refused = (why: string): VaultError =>
  new VaultError('unauthorized', `cannot log in: ${why}`);

interface RefusedLogin {
  readonly brand: string;
  /** Of the provider, or the person's. */
  readonly subject: string;
  readonly address: string;
  readonly error: unknown;
}

/** Into the brand's audit log, if there is such a brand; what is only missing or down is no refusal. */
export async function recordRefusal(
  db: Database,
  { brand, subject, address, error }: RefusedLogin,
): Promise<void> {
  if (!isRefusedLogin(error)) return;
  const { message } = error;
  await db.asSystem(async (tx) => {
    const brandId = (await findBrand(tx, brand))?.id ?? NO_BRAND;
    const act = { brandId, actor: 'system', action: 'refuse-login', subject };
    await recordVaultAudit(tx, { ...act, detail: { address, why: message } });
  });
}
