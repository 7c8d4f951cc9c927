import { Field, GraphQLISODateTime, ID, ObjectType } from '@nestjs/graphql';
import { resultOf } from './outcomes.js';

@ObjectType('Session')
export class SessionType {
  @Field(() => String, { description: 'Shown this once.' }) token!: string;
  @Field(() => GraphQLISODateTime) expiresAt!: Date;
  @Field(() => ID) memberId!: string;
}
export const SessionResult = resultOf(SessionType, 'Session');

@ObjectType('Invitation')
export class InvitationType {
  @Field(() => String, { description: 'Handed over by whoever made it; shown this once.' })
  invitation!: string;
  @Field(() => GraphQLISODateTime) expiresAt!: Date;
}
export const InvitationResult = resultOf(InvitationType, 'Invitation');

@ObjectType('SecondFactor', {
  description: 'For an authenticator app; counts when it is confirmed.',
})
export class SecondFactorType {
  @Field(() => String) secret!: string;
  @Field(() => String, { description: 'Behind a QR code.' }) uri!: string;
}
export const SecondFactorResult = resultOf(SecondFactorType, 'SecondFactor');

@ObjectType('RecoveryCodes', { description: 'Each stands in once for a lost authenticator app.' })
export class RecoveryCodesType {
  @Field(() => [String], { description: 'Shown this once.' }) codes!: readonly string[];
}
export const RecoveryCodesResult = resultOf(RecoveryCodesType, 'RecoveryCodes');
