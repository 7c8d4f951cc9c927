import { Column, Entity, ForeignKey, Index, PrimaryGeneratedColumn } from 'typeorm';
import type { Limits } from '#libs/auth';
import { createdAt, optional } from '../../columns.js';
import { Account, Person } from './account.entity.js';

/**
 * `session`: a person at the console or CLI; `api`: a machine, never approves (decisions 26); `publisher`: id inside
 * snapcraft's macaroons; `invitation`: lets an invited person choose a password, once.
 */
export type TokenKind = 'session' | 'api' | 'publisher' | 'invitation';

/** What a token may do; permissions stay here, the bearer only carries the id and a secret (publisher-api.md 2.3). */
export interface TokenScope {
  readonly permissions?: readonly string[];
  readonly channels?: readonly string[];
  readonly packages?: readonly string[];
  readonly roles?: readonly string[];
  readonly limits?: Limits;
  /** Addresses and networks such as `10.0.0.0/8` from which the token may be used; none: all. */
  readonly networks?: readonly string[];
  /** Of a session: from where it was opened. */
  readonly address?: string;
}

@Entity({ schema: 'store', name: 'tokens' })
export class Token {
  @PrimaryGeneratedColumn('uuid') id!: string;
  @Column({ type: 'text' }) kind!: TokenKind;
  /** SHA-256 of the secret, hex; a publisher token's macaroons are proven by their own HMAC chain, there it is the root key, sealed. */
  @Index({ unique: true })
  @Column({ type: 'text' })
  secretHash!: string;
  /** The secret's first characters, by which people tell tokens apart; of API tokens. */
  @Column({ type: 'text', default: '' }) lookup!: string;
  @Column({ type: 'uuid' })
  @ForeignKey(() => Person, { onDelete: 'CASCADE' })
  personId!: string;
  /** The brand an API token is limited to; null: all of the person's. */
  @Column({ type: 'text', ...optional })
  @ForeignKey(() => Account)
  brandId!: string | null;
  @Column({ type: 'text', default: '' }) description!: string;
  @Column({ type: 'jsonb', default: {} }) scope!: TokenScope;
  @Column({ type: 'timestamptz' }) expiresAt!: Date;
  @Column({ type: 'timestamptz', ...optional }) revokedAt!: Date | null;
  @Column({ type: 'timestamptz', ...optional }) lastUsedAt!: Date | null;
  @Column(createdAt) createdAt!: Date;
}
