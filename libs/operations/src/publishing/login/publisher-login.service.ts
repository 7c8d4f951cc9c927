import {
  decodeMacaroon,
  derivePublisherKeys,
  hashPassword,
  identifyPublisherDischarge,
  identifyPublisherRoot,
  parseAuthorization,
  SALT_BYTES,
  verifyPassword,
  verifyPublisherLogin,
  verifyUnboundDischarge,
} from '#libs/auth';
import { Person } from '#libs/database';
import { LoginThrottle } from '../../brands/login-throttle.js';
import { useSecondFactor } from '../../brands/second-factor.service.js';
import type { Resources } from '../../resources.js';
import { refusal } from '../wire-code.js';
import { LoginMint, type RootOrder } from './mint-login.js';
import { readCaveatId } from './pending-login.js';
import type { Publisher } from './publisher.js';
import { chooseAccount, findToken, insertToken, loadPublisher } from './publisher-token.js';

/** A login that nobody finished is worth nothing after this. */
const PENDING_MS = 10 * 60_000;
const MOST_FAILURES = 10;
const MOST_FAILURES_PER_ADDRESS = 100;
const NOBODY = hashPassword('nobody', Buffer.alloc(SALT_BYTES));

export interface DischargeOrder {
  readonly email: string;
  readonly password: string;
  readonly caveatId: string;
  readonly otp: string | null;
  /** For throttling. */
  readonly address: string;
}

/** The store as its own login service (publisher-api.md 2.2 to 2.6): what `snapcraft login` and every call after it need. */
export class PublisherLoginService {
  private readonly byPerson = new LoginThrottle(MOST_FAILURES);
  private readonly byAddress = new LoginThrottle(MOST_FAILURES_PER_ADDRESS);

  private readonly mint: LoginMint;

  constructor(private readonly resources: Resources) {
    this.mint = new LoginMint(resources);
  }

  /** A1: a root macaroon for whoever can discharge it. Throws `not-found` for an unknown snap, `invalid` for the rest. */
  async start(order: RootOrder): Promise<string> {
    return this.mint.root(await this.mint.pending(order, this.resources.db.clock.now())).root;
  }

  /**
   * A2: the discharge for a root, against password and second factor; the token exists from here. An address such as
   * `dev@acme.test/acme` names the account, for people who belong to several. Throws `unauthorized`.
   */
  async discharge(order: DischargeOrder): Promise<string> {
    const { db, settings } = this.resources;
    const now = db.clock.now();
    const pending = readCaveatId(order.caveatId, settings.secret);
    if (!pending || now.getTime() - pending.issuedAtMs > PENDING_MS) {
      throw refusal(
        'invalid',
        'invalid-field',
        'The login request is unknown or too old; start again.',
      );
    }
    const [email = '', username] = order.email.trim().toLowerCase().split('/');
    const person = await this.verifyPerson({ ...order, email }, now);
    const brandId = await db.asSystem(async (tx) => {
      const brandId = await chooseAccount(tx, person.id, username);
      await insertToken(tx, pending, person.id, brandId);
      return brandId;
    });
    return this.mint.discharge(
      pending.tokenId,
      order.caveatId,
      brandId,
      new Date(pending.expiresAtMs),
      now,
    );
  }

  /** A3: a new discharge for an old one. The old one stays good for this call: every process of a CI job brings it again. */
  async refresh(discharge: string): Promise<string> {
    const { db, settings } = this.resources;
    const now = db.clock.now();
    const named = identifyPublisherDischarge(discharge);
    const pending = named.ok ? readCaveatId(named.caveatId, settings.secret) : null;
    if (!named.ok || !pending) throw notAccepted('The discharge cannot be read.');
    const { caveatKey } = derivePublisherKeys(settings.secret, pending.tokenId);
    const verified = verifyUnboundDischarge(discharge, caveatKey);
    const token = verified.ok
      ? await db.asSystem((tx) => findToken(tx, pending.tokenId, now))
      : null;
    if (!verified.ok || !token || token.brandId !== verified.accountId)
      throw notAccepted('The login is over.');
    return this.mint.discharge(token.id, named.caveatId, verified.accountId, token.expiresAt, now);
  }

  /** Whose `Authorization` header it is. Throws `unauthorized`; code `macaroon-needs-refresh` where A3 helps. */
  async recognise(authorization: string | undefined): Promise<Publisher> {
    const { db, settings } = this.resources;
    const header = authorization === undefined ? null : parseAuthorization(authorization);
    if (header?.kind !== 'macaroons') {
      throw refusal(
        'unauthorized',
        'macaroon-authorization-required',
        'Authorization is required: log in first.',
      );
    }
    const named = identifyPublisherRoot(header.root);
    if (!named.ok) throw notAccepted('The login cannot be read.');
    const now = db.clock.now();
    const login = verifyPublisherLogin(
      header,
      derivePublisherKeys(settings.secret, named.tokenId),
      now,
    );
    if (!login.ok && login.code === 'discharge-expired') {
      throw refusal('unauthorized', 'macaroon-needs-refresh', 'The login needs a refresh.');
    }
    if (!login.ok || !this.isOurs(header)) throw notAccepted('The login is not accepted.');
    return db.asSystem(async (tx) => {
      const token = await findToken(tx, login.tokenId, now);
      if (!token || token.brandId !== login.accountId) throw notAccepted('The login is over.');
      return loadPublisher(tx, token, login.accountId);
    });
  }

  /** Locations are outside the signatures (publisher-api.md 2.4): that they are ours is checked apart. */
  private isOurs({
    root,
    discharges,
  }: {
    readonly root: string;
    readonly discharges: readonly string[];
  }): boolean {
    const macaroons = [root, ...discharges].map(decodeMacaroon);
    const locations = macaroons.flatMap(({ location, caveats }) => [
      location,
      ...caveats.flatMap((caveat) => caveat.location ?? []),
    ]);
    return locations.every((location) => location === this.mint.location);
  }

  private async verifyPerson(order: DischargeOrder, now: Date): Promise<Person> {
    this.byAddress.check(order.address, now);
    this.byPerson.check(order.email, now);
    const person = await this.resources.db.asSystem((tx) =>
      tx.findOneBy(Person, { email: order.email }),
    );
    // The same work for an unknown person, so that the answer takes as long.
    const isRight = await verifyPassword(order.password, person?.passwordHash || (await NOBODY));
    if (!isRight || !person?.passwordHash) {
      this.byAddress.fail(order.address, now);
      this.byPerson.fail(order.email, now);
      throw wrongPassword();
    }
    if (person.totpSecret !== null) await this.verifySecondFactor(person.id, order, now);
    this.byPerson.forget(order.email);
    return person;
  }

  private async verifySecondFactor(
    personId: string,
    { otp, email }: DischargeOrder,
    now: Date,
  ): Promise<void> {
    if (otp === null) {
      throw refusal('unauthorized', 'twofactor-required', '2-factor authentication required.');
    }
    const isRight = await this.resources.db.asSystem((tx) =>
      useSecondFactor(tx, this.resources, personId, otp),
    );
    if (isRight) return;
    this.byPerson.fail(email, now);
    throw refusal('forbidden', 'twofactor-failure', 'The provided 2-factor key is not recognised.');
  }
}

const notAccepted = (message: string): Error =>
  refusal('unauthorized', 'macaroon-authorization-required', message);

const wrongPassword = (): Error =>
  refusal('unauthorized', 'invalid-credentials', 'Provided email/password is not correct.');
