import { maySee, type Grant, type Role, type Subject } from '#libs/auth';
import { OperationError } from '../operation-error.js';

/** Who acts: a person by a session, or a machine by an API token in its owner's name (decisions 26). */
export interface Principal {
  readonly kind: 'session' | 'token';
  readonly tokenId: string;
  readonly personId: string;
  readonly email: string;
  readonly displayName: string;
  /** Runs the installation: makes brands; has no part in them. */
  readonly isOperator: boolean;
  /** Brand account id → what the person may do there; a token has no more than its scope. */
  readonly grants: ReadonlyMap<string, readonly Grant[]>;
}

/** As it stands in audit rows and transitions. */
export const actorOf = (who: Principal): string =>
  who.kind === 'session' ? `person:${who.personId}` : `token:${who.tokenId}`;

/** The roles in the brand, whatever their limits. */
export const rolesIn = (who: Pick<Principal, 'grants'>, brandId: string): Role[] => [
  ...new Set(
    who.grants
      .get(brandId)
      ?.map(({ role }) => role)
      .sort(),
  ),
];

/** Whether lists of the brand show this to the person. */
export const sees = (who: Principal, brandId: string, subject: Subject): boolean =>
  maySee(who.grants.get(brandId) ?? [], 'member', subject);

/** Throws `forbidden` for machines: what needs eyes needs a person at a session (update-control.md 2.11, 2.12.17). */
export function requireHuman(who: Principal, what: string): void {
  if (who.kind !== 'session')
    throw new OperationError('forbidden', `cannot ${what} with an API token: a person must do it`);
}
