import { Field, GraphQLISODateTime, ID, ObjectType } from '@nestjs/graphql';
import { resultOf } from './outcomes.js';

@ObjectType('Session')
export class SessionType {
  @Field(() => String, { description: 'Shown this once.' }) token!: string;
  @Field(() => GraphQLISODateTime) expiresAt!: Date;
  @Field(() => ID) memberId!: string;
}
export const SessionResult = resultOf(SessionType, 'Session');

@ObjectType('OidcLogin', { description: 'A login that waits for the provider.' })
export class OidcLoginType {
  @Field(() => String, { description: 'Where the browser is to go.' }) authorizationUrl!: string;
  @Field(() => String, { description: 'The browser brings it back; another is not yours.' })
  state!: string;
  @Field(() => String, { description: 'Finishes the login; kept from the browser.' })
  ticket!: string;
  @Field(() => GraphQLISODateTime) expiresAt!: Date;
}
export const OidcLoginResult = resultOf(OidcLoginType, 'OidcLogin');

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
