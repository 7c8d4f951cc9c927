import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { createdAt, optional } from '../../columns.js';

/** What a provider said of somebody, and who of the brand that is. */
export interface ProvenPerson {
  readonly memberId: string;
  readonly issuer: string;
  readonly subject: string;
  /** By the provider's word; else the vault asks for its own. */
  readonly hasSecondFactor: boolean;
}

/** A login that somebody began, and that may come back from the provider once; it belongs to no brand before that (serial-vault.md 13). */
@Entity({ schema: 'vault', name: 'oidc_logins' })
@Index(['expiresAt'])
export class VaultOidcLogin {
  /** SHA-256 of the ticket, base64url: only who began it has it. */
  @PrimaryColumn({ type: 'text' }) ticketHash!: string;
  /** SHA-256 of the state, base64url: it passes through the browser. */
  @Column({ type: 'text' }) stateHash!: string;
  /** As it was typed: account id or user name. */
  @Column({ type: 'text' }) brand!: string;
  @Column({ type: 'text' }) redirectUri!: string;
  /** PKCE. */
  @Column({ type: 'text' }) codeVerifier!: string;
  /** The ID token has to repeat it. */
  @Column({ type: 'text' }) nonce!: string;
  @Column({ type: 'timestamptz' }) expiresAt!: Date;
  /** When it came back from the provider; null: not yet. */
  @Column({ type: 'timestamptz', ...optional }) usedAt!: Date | null;
  /** Null: not back yet, or refused. Kept while a code of the second factor is missing. */
  @Column({ type: 'jsonb', ...optional }) proven!: ProvenPerson | null;
  @Column(createdAt) createdAt!: Date;
}
