import { Field, ID, ObjectType } from '@nestjs/graphql';
import { resultOf } from '../outcomes.js';
import { Instant } from '../scalars.js';

@ObjectType('Session')
export class SessionType {
  @Field(() => String, { description: 'Send it as `Authorization: Bearer …`; shown once.' })
  token!: string;
  @Field(() => Instant) expiresAt!: Date;
  @Field(() => ID) personId!: string;
}

@ObjectType('OpenSession', { description: 'One of your logins that live.' })
export class OpenSessionType {
  @Field(() => ID) id!: string;
  @Field(() => String, { description: 'session, or publisher: by snapcraft' }) kind!: string;
  @Field(() => String, { description: 'What the client called itself.' }) agent!: string;
  @Field(() => String, { nullable: true }) address!: string | null;
  @Field(() => Instant) createdAt!: Date;
  @Field(() => Instant, { nullable: true }) lastUsedAt!: Date | null;
  @Field(() => Instant) expiresAt!: Date;
  @Field(() => Boolean, { description: 'The one that asks.' }) isThis!: boolean;
}

@ObjectType('Done')
export class DoneType {
  @Field(() => Boolean) isDone!: boolean;
}

@ObjectType('SecondFactor')
export class SecondFactorType {
  @Field(() => String, { description: 'Base32; give it back to confirmSecondFactor.' })
  secret!: string;
  @Field(() => String, { description: 'What the QR code says.' }) uri!: string;
}

@ObjectType('RecoveryCodes')
export class RecoveryCodesType {
  @Field(() => [String], {
    description: 'Each stands in for a code of the app, once; shown this once.',
  })
  codes!: string[];
}

export const SessionResult = resultOf(() => SessionType, 'Session');
export const DoneResult = resultOf(() => DoneType, 'Done');
export const SecondFactorResult = resultOf(() => SecondFactorType, 'SecondFactor');
export const RecoveryCodesResult = resultOf(() => RecoveryCodesType, 'RecoveryCodes');
