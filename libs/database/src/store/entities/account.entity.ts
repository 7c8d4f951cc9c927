import { Column, Entity, ForeignKey, PrimaryColumn, PrimaryGeneratedColumn, Unique } from 'typeorm';
import { createdAt, optional, safeInteger } from '../../columns.js';

export type Validation = 'unproven' | 'starred' | 'verified';

/** Publishes and signs; a brand is an account with stores of its own (decisions 1). `id` is 32 random alphanumerics. */
@Entity({ schema: 'store', name: 'accounts' })
@Unique(['username'])
export class Account {
  @PrimaryColumn({ type: 'text' }) id!: string;
  @Column({ type: 'text' }) username!: string;
  @Column({ type: 'text' }) displayName!: string;
  @Column({ type: 'text', default: 'unproven' }) validation!: Validation;
  @Column({ type: 'boolean', default: false }) isBrand!: boolean;
  @Column(createdAt) createdAt!: Date;
}

/** Somebody who logs in; people are members of accounts with roles (decisions 1). */
@Entity({ schema: 'store', name: 'people' })
@Unique(['email'])
export class Person {
  @PrimaryGeneratedColumn('uuid') id!: string;
  @Column({ type: 'text' }) email!: string;
  @Column({ type: 'text' }) displayName!: string;
  @Column({ type: 'text' }) passwordHash!: string;
  /** Sealed TOTP secret; null until the person sets a second factor. */
  @Column({ type: 'text', ...optional }) totpSecret!: string | null;
  /** Time step of the last code that was used; none is good twice. */
  @Column({ ...safeInteger, ...optional }) totpLastStep!: number | null;
  @Column({ type: 'boolean', default: false }) isOperator!: boolean;
  @Column(createdAt) createdAt!: Date;
}

/** update-control.md 2.11, with the publisher's side beside it. */
export const ROLES = [
  'admin',
  'reviewer',
  'viewer',
  'publisher',
  'operator',
  'releaser',
  'approver',
  'auditor',
] as const;
export type Role = (typeof ROLES)[number];

@Entity({ schema: 'store', name: 'memberships' })
export class Membership {
  @PrimaryColumn({ type: 'text' })
  @ForeignKey(() => Account, { onDelete: 'CASCADE' })
  brandId!: string;
  @PrimaryColumn({ type: 'uuid' })
  @ForeignKey(() => Person, { onDelete: 'CASCADE' })
  personId!: string;
  @PrimaryColumn({ type: 'text' }) role!: Role;
  @Column(createdAt) createdAt!: Date;
}
