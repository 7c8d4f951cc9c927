import { spendCode } from '#libs/auth';
import { recordVaultAudit, VaultBrand, VaultMember, VaultToken, type Tx } from '#libs/database';
import type { VaultResources } from '../resources.js';
import { insertToken } from './token.service.js';
import { VaultError } from './vault-error.js';

/** A working day. */
const SESSION_MS = 12 * 3_600_000;

export interface VaultSession {
  /** Shown this once. */
  readonly token: string;
  readonly expiresAt: Date;
  readonly memberId: string;
}

type Ground = Pick<VaultResources, 'db' | 'settings'>;

/** What every login ends with, by whatever it was opened; the row of the person is locked. */
export async function openSession(
  tx: Tx,
  { db }: Pick<Ground, 'db'>,
  { id, brandId, email }: VaultMember,
): Promise<VaultSession> {
  const expiresAt = new Date(db.clock.now().getTime() + SESSION_MS);
  const order = { name: email, roles: [], memberId: id, expiresAt };
  const { token } = await insertToken(tx, brandId, order, 'session');
  return { token, expiresAt, memberId: id };
}

/** Uses up a code of the person's own second factor, where they have one; throws `code-needed` or `unauthorized`. */
export async function spendSecondFactor(
  tx: Tx,
  { db, settings }: Ground,
  member: VaultMember,
  otp: string | undefined,
): Promise<void> {
  if (member.totpSecret === null) return;
  if (otp === undefined)
    throw new VaultError('code-needed', 'cannot log in: a code of the second factor is needed');
  const owner = { secret: settings.secret, personId: member.id };
  const spent = spendCode(member, otp, owner, db.clock.now());
  if (spent === null) throw new VaultError('unauthorized', 'cannot log in: wrong code');
  await tx.update(VaultMember, { id: member.id }, spent);
}

/** All of a person but one. */
export async function endSessions(tx: Tx, memberId: string, except?: string): Promise<void> {
  await tx
    .createQueryBuilder()
    .update(VaultToken)
    .set({ revokedAt: () => 'coalesce(revoked_at, app.now())' })
    .where(`member_id = :memberId AND kind = 'session' AND id IS DISTINCT FROM :except::uuid`, {
      memberId,
      except: except ?? null,
    })
    .execute();
}

/** One change at a time: one code opens one session. */
export const lockMember = (tx: Tx, id: string): Promise<VaultMember> =>
  tx.findOneOrFail(VaultMember, { where: { id }, lock: { mode: 'pessimistic_write' } });

/** By account id or user name. */
export async function findBrand(tx: Tx, brand: string): Promise<VaultBrand | null> {
  const [row = null] = await tx.find(VaultBrand, { where: [{ id: brand }, { username: brand }] });
  return row;
}

/** What somebody did with their own login. */
export function recordLogin(
  tx: Tx,
  action: string,
  { id, brandId, email }: Pick<VaultMember, 'id' | 'brandId' | 'email'>,
  detail: Readonly<Record<string, string>> = {},
): Promise<void> {
  return recordVaultAudit(tx, { brandId, actor: `person:${id}`, action, subject: email, detail });
}
