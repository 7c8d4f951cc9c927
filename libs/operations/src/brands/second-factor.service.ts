import { randomBytes } from 'node:crypto';
import {
  RECOVERY_BYTES,
  TOTP_NONCE_BYTES,
  TOTP_SECRET_BYTES,
  drawRecoveryCodes,
  formatTotpSecret,
  sealTotpSecret,
  spendCode,
  totpUri,
  verifyTotp,
} from '#libs/auth';
import { Person, type Tx } from '#libs/database';
import { OperationError } from '../operation-error.js';
import type { Resources } from '../resources.js';
import { requirePassword } from './password-policy.js';
import { requireHuman, type Principal } from './principal.js';

/** A person's authenticator app, and the codes that stand in for a lost one. */
export class SecondFactorService {
  constructor(private readonly resources: Resources) {}

  /** Draws a secret for an authenticator app; it counts from `confirm` on. */
  begin(who: Principal): { secret: string; uri: string } {
    requireHuman(who, 'set a second factor');
    const secret = formatTotpSecret(randomBytes(TOTP_SECRET_BYTES));
    return { secret, uri: totpUri('brandstore', who.email, secret) };
  }

  /**
   * The person proves that the app shows the codes of this secret, and that they know the password. Returns recovery
   * codes, which are shown this once.
   */
  async confirm(
    who: Principal,
    order: { secret: string; password: string; otp: string },
  ): Promise<string[]> {
    requireHuman(who, 'set a second factor');
    const { db, settings } = this.resources;
    await this.requirePassword(who, order.password);
    if (!/^[A-Z2-7]{32}$/.test(order.secret))
      throw new OperationError('invalid', 'cannot read the secret', { paths: ['secret'] });
    const step = verifyTotp(order.secret, order.otp, db.clock.now(), null);
    if (step === null) throw new OperationError('unauthorized', 'cannot log in: wrong code');
    const totpSecret = sealTotpSecret(
      order.secret,
      { secret: settings.secret, personId: who.personId },
      randomBytes(TOTP_NONCE_BYTES),
    );
    const { codes, hashes } = drawRecoveryCodes(randomBytes(RECOVERY_BYTES));
    await db.asSystem(async (tx) => {
      const person = await lockPerson(tx, who.personId);
      if (person.totpSecret !== null)
        throw new OperationError(
          'conflict',
          'cannot set a second factor: remove the present one first',
        );
      await tx.update(
        Person,
        { id: who.personId },
        { totpSecret, totpLastStep: step, recoveryCodes: hashes },
      );
    });
    return codes;
  }

  /** New recovery codes; the old ones are worth nothing any more. */
  async renewCodes(who: Principal, order: { password: string; otp: string }): Promise<string[]> {
    const { codes, hashes } = drawRecoveryCodes(randomBytes(RECOVERY_BYTES));
    await this.change(who, order, { recoveryCodes: hashes });
    return codes;
  }

  async remove(who: Principal, order: { password: string; otp: string }): Promise<void> {
    await this.change(who, order, { totpSecret: null, recoveryCodes: [] });
  }

  /** Password and a code (or a recovery code), then the change. */
  private async change(
    who: Principal,
    { password, otp }: { password: string; otp: string },
    change: Partial<Pick<Person, 'totpSecret' | 'recoveryCodes'>>,
  ): Promise<void> {
    requireHuman(who, 'change a second factor');
    await this.requirePassword(who, password);
    await this.resources.db.asSystem(async (tx) => {
      const { totpSecret } = await lockPerson(tx, who.personId);
      if (totpSecret === null)
        throw new OperationError('conflict', 'cannot change a second factor: there is none');
      if (!(await useSecondFactor(tx, this.resources, who.personId, otp)))
        throw new OperationError('unauthorized', 'cannot change the second factor: wrong code');
      await tx.update(Person, { id: who.personId }, change);
    });
  }

  private async requirePassword(who: Principal, password: string): Promise<void> {
    const { db } = this.resources;
    const person = await db.asSystem((tx) => tx.findOneByOrFail(Person, { id: who.personId }));
    await requirePassword(person, password);
  }
}

/** Whether the person has shown the second factor, or has none; what was shown is used up. */
export async function useSecondFactor(
  tx: Tx,
  { db, settings: { secret } }: Pick<Resources, 'db' | 'settings'>,
  personId: string,
  typed: string | undefined,
): Promise<boolean> {
  const person = await lockPerson(tx, personId);
  if (person.totpSecret === null) return true;
  const spent =
    typed === undefined ? null : spendCode(person, typed, { secret, personId }, db.clock.now());
  if (spent !== null) await tx.update(Person, { id: personId }, spent);
  return spent !== null;
}

const lockPerson = (tx: Tx, id: string): Promise<Person> =>
  tx.findOneOrFail(Person, { where: { id }, lock: { mode: 'pessimistic_write' } });
