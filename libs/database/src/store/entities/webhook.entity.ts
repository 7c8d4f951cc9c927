import {
  Check,
  Column,
  Entity,
  ForeignKey,
  Index,
  PrimaryColumn,
  PrimaryGeneratedColumn,
  Unique,
} from 'typeorm';
import { createdAt, optional } from '../../columns.js';
import { Account } from './account.entity.js';
import { BrandEvent } from './event.entity.js';

/** Where a brand wants its events sent (update-control.md 2.11). Its secrets are derived, not stored. */
@Entity({ schema: 'store', name: 'webhooks' })
@Index(['brandId'])
export class Webhook {
  @PrimaryColumn({ type: 'uuid' }) id!: string;
  @Column({ type: 'text' })
  @ForeignKey(() => Account)
  brandId!: string;
  @Column({ type: 'text' }) url!: string;
  /** Of EVENT_KINDS; empty: all. */
  @Column({ type: 'text', array: true, default: [] }) kinds!: string[];
  /** Counts the rotations: names the current secret; the one before is good until `previousUntil`. */
  @Column({ type: 'int', default: 1 }) secretNo!: number;
  @Column({ type: 'timestamptz', ...optional }) previousUntil!: Date | null;
  @Column(createdAt) createdAt!: Date;
}

/** `dead`: given up after a day; a person may have it sent again. */
export type DeliveryState = 'pending' | 'delivered' | 'dead';

/** One event for one webhook. The id goes with every attempt, so that receivers know what they have already. */
@Entity({ schema: 'store', name: 'webhook_deliveries' })
@Unique(['webhookId', 'eventId'])
@Index(['nextAttemptAt'], { where: `"state" = 'pending'::text` })
@Check(`"state" IN ('pending', 'delivered', 'dead')`)
export class WebhookDelivery {
  @PrimaryGeneratedColumn('uuid') id!: string;
  @Column({ type: 'text' })
  @ForeignKey(() => Account)
  brandId!: string;
  @Column({ type: 'uuid' })
  @ForeignKey(() => Webhook, { onDelete: 'CASCADE' })
  webhookId!: string;
  @Column({ type: 'uuid' })
  @ForeignKey(() => BrandEvent)
  eventId!: string;
  @Column({ type: 'text', default: 'pending' }) state!: DeliveryState;
  /** Since `since`; an attempt that died with its process does not count. */
  @Column({ type: 'int', default: 0 }) attempts!: number;
  /** While an attempt is under way: when another process may take it over. */
  @Column({ type: 'timestamptz', default: () => 'app.now()' }) nextAttemptAt!: Date;
  /** When it was made, or sent again by a person: the day until it is given up begins here. */
  @Column({ type: 'timestamptz', default: () => 'app.now()' }) since!: Date;
  /** What the receiver answered last; null: it did not. */
  @Column({ type: 'int', ...optional }) lastStatus!: number | null;
  /** Why the last attempt failed, in words. */
  @Column({ type: 'text', ...optional }) lastError!: string | null;
  @Column({ type: 'timestamptz', ...optional }) deliveredAt!: Date | null;
  @Column(createdAt) createdAt!: Date;
}
