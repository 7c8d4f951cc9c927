import { mayDo } from '#libs/auth';
import { Person, Snap, Token } from '#libs/database';
import { In, IsNull, MoreThan } from 'typeorm';
import { performAct } from '../../brands/act.js';
import { requireHuman, rolesIn, type Principal } from '../../brands/principal.js';
import { OperationError } from '../../operation-error.js';
import type { Resources } from '../../resources.js';
import { requireUuid } from '../../rollouts/find.js';
import { LoginMint, type RootOrder } from './mint-login.js';
import { insertToken, PUBLISHING } from './publisher-token.js';

const DAY_MS = 86_400_000;

/** `days`: how long they are good. */
export interface CredentialsOrder extends Omit<RootOrder, 'expiresAt'> {
  readonly days: number;
}

/** What somebody publishes with: a login of `snapcraft`, or credentials made for a machine. */
export interface PublisherCredentials {
  readonly id: string;
  readonly description: string;
  /** In whose name. */
  readonly ownerEmail: string;
  readonly permissions: readonly string[];
  /** Names; null: all. */
  readonly snaps: readonly string[] | null;
  readonly channels: readonly string[] | null;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

export interface MintedCredentials extends PublisherCredentials {
  /** Shown once. */
  readonly credentials: string;
}

/** The form in which `export-login` writes them (publisher-api.md 2.9). */
const write = (r: string, d: string): string =>
  Buffer.from(JSON.stringify({ t: 'u1-macaroon', v: { r, d } })).toString('base64');

/** Logins of publishers as things to look at and to end, and those that are made for machines (publisher-api.md 2.2; 5, 47). */
export class CredentialsService {
  private readonly mint: LoginMint;

  constructor(private readonly resources: Resources) {
    this.mint = new LoginMint(resources);
  }

  /**
   * Credentials for a machine that publishes in somebody's name, without their password (publisher-api.md 2.2): what
   * `SNAPCRAFT_STORE_CREDENTIALS` takes. Throws `not-found`, `invalid`, and `forbidden` for machines and for people who do not
   * publish.
   */
  async create(
    who: Principal,
    brandId: string,
    { days, ...order }: CredentialsOrder,
  ): Promise<MintedCredentials> {
    requireHuman(who, 'make credentials');
    const { db } = this.resources;
    if (!rolesIn(who, brandId).some((role) => PUBLISHING.includes(role)))
      throw new OperationError('forbidden', 'cannot make credentials: you do not publish here');
    const now = db.clock.now();
    const wished = new Date(now.getTime() + days * DAY_MS);
    const pending = await this.mint.pending({ ...order, expiresAt: wished }, now, brandId);
    const { root, caveatId } = this.mint.root(pending);
    const id = pending.tokenId;
    const expiresAt = new Date(pending.expiresAtMs);
    const discharge = this.mint.discharge(id, caveatId, brandId, expiresAt, now);
    const act = { who, brandId, action: 'create-credentials', request: { days, ...order } };
    return performAct<MintedCredentials>(db, act, async (tx) => {
      await insertToken(tx, pending, who.personId, brandId);
      const { description, permissions, packages: snaps, channels } = order;
      const made = { id, description, permissions, snaps, channels, createdAt: now, expiresAt };
      return {
        result: { ...made, ownerEmail: who.email, credentials: '' },
        shownOnce: { credentials: write(root, discharge) },
        subject: `token:${id}`,
      };
    });
  }

  /** Those that are still good: all of the brand for those who administer it wholly, else one's own. */
  list(who: Principal, brandId: string): Promise<PublisherCredentials[]> {
    const { db } = this.resources;
    const seesAll = mayDo(who.grants.get(brandId) ?? [], ['admin'], []);
    return db.asBrand(brandId, async (tx) => {
      const own = seesAll ? {} : { personId: who.personId };
      const good = { revokedAt: IsNull(), expiresAt: MoreThan(db.clock.now()) };
      const tokens = await tx.find(Token, {
        where: { brandId, kind: 'publisher', ...good, ...own },
        order: { createdAt: 'ASC' },
      });
      const people = await tx.findBy(Person, { id: In(tokens.map(({ personId }) => personId)) });
      const snaps = await tx.findBy(Snap, {
        id: In(tokens.flatMap(({ scope }) => scope.packages ?? [])),
      });
      const emails = new Map(people.map(({ id, email }) => [id, email]));
      const names = new Map(snaps.map(({ id, name }) => [id, name]));
      return tokens.map(({ id, description, personId, scope, createdAt, expiresAt }) => ({
        ...{ id, description, createdAt, expiresAt },
        ownerEmail: emails.get(personId) ?? '',
        permissions: scope.permissions ?? [],
        snaps: scope.packages?.map((snapId) => names.get(snapId) ?? snapId) ?? null,
        channels: scope.channels ?? null,
      }));
    });
  }

  /** Ends them at once, everywhere. */
  async revoke(who: Principal, brandId: string, tokenId: string): Promise<PublisherCredentials> {
    requireHuman(who, 'end credentials');
    const { db } = this.resources;
    const id = requireUuid(tokenId, 'credentials');
    const found = (await this.list(who, brandId)).find((one) => one.id === id);
    if (!found) throw new OperationError('not-found', `cannot find credentials ${tokenId}`);
    const act = { who, brandId, action: 'revoke-credentials', request: { tokenId } };
    return performAct(db, act, async (tx) => {
      await tx.update(Token, { id, brandId }, { revokedAt: db.clock.now() });
      return { result: found, subject: `token:${id}`, detail: { description: found.description } };
    });
  }
}
