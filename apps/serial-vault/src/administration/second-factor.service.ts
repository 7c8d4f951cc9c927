import { randomBytes } from 'node:crypto';
import {
  drawRecoveryCodes,
  formatTotpSecret,
  RECOVERY_BYTES,
  sealTotpSecret,
  spendCode,
  TOTP_NONCE_BYTES,
  TOTP_SECRET_BYTES,
  totpUri,
  verifyTotp,
} from '#libs/auth';
import { VaultMember } from '#libs/database';
import type { VaultResources } from '../resources.js';
import { requirePassword } from './login.service.js';
import { requirePerson, type VaultPrincipal } from './token.service.js';
import { VaultError } from './vault-error.js';
import { lockMember, recordLogin } from './vault-session.js';

interface Proof {
  readonly password: string;
  /** A code of the app, or, where there is a second factor already, a recovery code. */
  readonly otp: string;
}

/** A person's authenticator app at the vault, and the codes that stand in for a lost one (serial-vault.md 13). */
export class SecondFactorService {
  constructor(private readonly resources: Pick<VaultResources, 'db' | 'settings'>) {}

  /** Draws a secret for an authenticator app; it counts from `confirm` on. */
  begin(who: VaultPrincipal): { secret: string; uri: string } {
    requirePerson(who, 'set a second factor');
    const secret = formatTotpSecret(randomBytes(TOTP_SECRET_BYTES));
    return { secret, uri: totpUri('serial vault', who.name, secret) };
  }

  /** The person proves that the app shows the codes of this secret. Returns recovery codes, shown this once. */
  async confirm(who: VaultPrincipal, secret: string, proof: Proof): Promise<string[]> {
    const { db, settings } = this.resources;
    if (!/^[A-Z2-7]{32}$/.test(secret))
      throw new VaultError('invalid', 'cannot read the secret', [
        { path: 'secret', message: 'not the one that was drawn' },
      ]);
    const { codes, hashes } = drawRecoveryCodes(randomBytes(RECOVERY_BYTES));
    await this.change(who, 'set', proof, (member) => {
      if (member.totpSecret !== null)
        throw new VaultError(
          'conflict',
          'cannot set a second factor: remove the present one first',
        );
      const totpLastStep = verifyTotp(secret, proof.otp, db.clock.now(), null);
      if (totpLastStep === null) return null;
      const owner = { secret: settings.secret, personId: member.id };
      const totpSecret = sealTotpSecret(secret, owner, randomBytes(TOTP_NONCE_BYTES));
      return { totpSecret, totpLastStep, recoveryCodes: hashes };
    });
    return codes;
  }

  /** Password and a code (or a recovery code) end it. */
  remove(who: VaultPrincipal, proof: Proof): Promise<void> {
    const { db, settings } = this.resources;
    return this.change(who, 'remove', proof, (member) => {
      if (member.totpSecret === null)
        throw new VaultError('conflict', 'cannot remove a second factor: there is none');
      const owner = { secret: settings.secret, personId: member.id };
      const spent = spendCode(member, proof.otp, owner, db.clock.now());
      return spent && { totpSecret: null, recoveryCodes: [] };
    });
  }

  /** `decide` answers what to store, or null where the code is wrong; the row is locked meanwhile. */
  private async change(
    who: VaultPrincipal,
    verb: 'set' | 'remove',
    { password }: Proof,
    decide: (member: VaultMember) => Partial<VaultMember> | null,
  ): Promise<void> {
    const what = `${verb} a second factor`;
    const id = requirePerson(who, what);
    const { db } = this.resources;
    const known = await db.asSystem((tx) => tx.findOneByOrFail(VaultMember, { id }));
    const member = await requirePassword(known, password);
    await db.asSystem(async (tx) => {
      const change = decide(await lockMember(tx, id));
      if (change === null) throw new VaultError('unauthorized', `cannot ${what}: wrong code`);
      await tx.update(VaultMember, { id }, change);
      await recordLogin(tx, `${verb}-second-factor`, member);
    });
  }
}
