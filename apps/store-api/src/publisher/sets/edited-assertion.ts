import { decodeAssertion, type Assertion, type AssertionTypeName } from '#libs/assertions';
import {
  OperationError,
  principalOf,
  requireRole,
  type BrandAssertionService,
  type Publisher,
} from '#libs/operations';

// What validation sets and confdb schemas have in common: an editor's draft, then what was signed of it (publisher-api.md 3.14).

export const badRequest = (message: string): OperationError =>
  new OperationError('invalid', message, { wire: 'invalid-request' });

export function requireOwnAccount(who: Publisher, accountId: string): void {
  if (accountId !== who.accountId)
    throw badRequest('account-id and authority-id must match the requesting user.');
}

/** Keeps the signed text that came as `body`. Throws `invalid` where it is none of that type, or does not hold. */
export async function addSigned(
  assertions: BrandAssertionService,
  who: Publisher,
  type: AssertionTypeName,
  body: unknown,
): Promise<Assertion> {
  requireRole(who, 'admin', 'publisher', 'releaser');
  const text = Buffer.isBuffer(body) ? body.toString('utf8') : '';
  if (!text.split('\n').includes(`type: ${type}`))
    throw badRequest(`the body is no ${type} assertion`);
  await assertions.add(principalOf(who), who.accountId, text);
  return decodeAssertion(Buffer.from(text));
}

/** Exactly these keys: one more breaks a client. */
export const pick = (from: object, names: readonly string[]): object =>
  Object.fromEntries(Object.entries(from).filter(([name]) => names.includes(name)));
