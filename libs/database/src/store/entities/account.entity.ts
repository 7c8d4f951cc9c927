import { Column, Entity, ForeignKey, PrimaryColumn, PrimaryGeneratedColumn, Unique } from 'typeorm';
import { ROLES, type Limits, type Role } from '#libs/auth';
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
  /** Types of snaps that it may publish; apps always (S15). The operator narrows it. */
  @Column({
    type: 'text',
    array: true,
    default: ['app', 'gadget', 'kernel', 'base', 'snapd', 'os'],
  })
  snapTypes!: string[];
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
  /** SHA-256 of the codes that stand in for a lost authenticator app; each is taken out when it is used. */
  @Column({ type: 'text', array: true, default: [] }) recoveryCodes!: string[];
  @Column({ type: 'boolean', default: false }) isOperator!: boolean;
  @Column(createdAt) createdAt!: Date;
}

export { ROLES, type Role };

/** A role of a person in a brand, for all of it or within limits (mission.md S2, update-control.md 2.11). */
@Entity({ schema: 'store', name: 'memberships' })
@Unique(['brandId', 'personId', 'role', 'limits'])
export class Membership {
  @PrimaryGeneratedColumn('uuid') id!: string;
  @Column({ type: 'text' })
  @ForeignKey(() => Account, { onDelete: 'CASCADE' })
  brandId!: string;
  @Column({ type: 'uuid' })
  @ForeignKey(() => Person, { onDelete: 'CASCADE' })
  personId!: string;
  @Column({ type: 'text' }) role!: Role;
  @Column({ type: 'jsonb', default: {} }) limits!: Limits;
  @Column(createdAt) createdAt!: Date;
}
