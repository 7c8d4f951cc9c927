import { Args, Context, ID, Mutation, Query } from '@nestjs/graphql';
import {
  InvitationService,
  SecondFactorService,
  SessionService,
  SignInService,
  rolesIn,
  type OpenSession,
  type Principal,
  type Session,
} from '#libs/operations';
import { AdminResolver } from '../admin-resolver.js';
import { Who, type AdminContext } from '../context.js';
import {
  DoneResult,
  OpenSessionType,
  RecoveryCodesResult,
  SecondFactorResult,
  SessionResult,
  type DoneType,
  type RecoveryCodesType,
  type SecondFactorType,
} from './login.type.js';
import { MeType } from './person.type.js';
import { toGrant } from './to-member.js';

/** What somebody does with their own login. */
@AdminResolver()
export class LoginResolver {
  constructor(
    private readonly signIn: SignInService,
    private readonly invitations: InvitationService,
    private readonly sessionService: SessionService,
    private readonly secondFactor: SecondFactorService,
  ) {}

  @Query(() => MeType)
  me(@Who() who: Principal): MeType {
    return {
      personId: who.personId,
      email: who.email,
      displayName: who.displayName,
      isOperator: who.isOperator,
      isToken: who.kind === 'token',
      memberships: [...who.grants].map(([brandId, grants]) => ({
        brandId,
        roles: rolesIn(who, brandId),
        grants: grants.map(toGrant),
      })),
    };
  }

  @Query(() => [OpenSessionType], { description: 'Where you are logged in, newest first.' })
  sessions(@Who() who: Principal): Promise<OpenSession[]> {
    return this.sessionService.list(who);
  }

  @Mutation(() => SessionResult)
  login(
    @Args('email') email: string,
    @Args('password') password: string,
    @Context() { client }: AdminContext,
    @Args('otp', {
      type: () => String,
      nullable: true,
      description: 'A code of the second factor, or a recovery code.',
    })
    otp?: string,
  ): Promise<Session> {
    return this.signIn.login(email, password, otp ?? undefined, client);
  }

  @Mutation(() => SessionResult)
  acceptInvitation(
    @Args('invitation') invitation: string,
    @Args('password') password: string,
  ): Promise<Session> {
    return this.invitations.accept(invitation, password);
  }

  @Mutation(() => DoneResult)
  async logout(@Who() who: Principal): Promise<DoneType> {
    await this.signIn.logout(who);
    return { isDone: true };
  }

  @Mutation(() => DoneResult, { description: 'Ends one of your own logins.' })
  async endSession(
    @Who() who: Principal,
    @Args('id', { type: () => ID }) id: string,
  ): Promise<DoneType> {
    await this.sessionService.end(who, id);
    return { isDone: true };
  }

  @Mutation(() => DoneResult, { description: 'Ends all of your own logins but this one.' })
  async endOtherSessions(@Who() who: Principal): Promise<DoneType> {
    await this.sessionService.endOthers(who);
    return { isDone: true };
  }

  @Mutation(() => DoneResult, { description: 'Ends your other logins.' })
  async changePassword(
    @Who() who: Principal,
    @Args('current') current: string,
    @Args('next') next: string,
  ): Promise<DoneType> {
    await this.signIn.changePassword(who, current, next);
    return { isDone: true };
  }

  @Mutation(() => SecondFactorResult, { description: 'A secret for an authenticator app.' })
  beginSecondFactor(@Who() who: Principal): SecondFactorType {
    return this.secondFactor.begin(who);
  }

  @Mutation(() => RecoveryCodesResult, { description: 'From now on login asks for a code.' })
  async confirmSecondFactor(
    @Who() who: Principal,
    @Args('secret') secret: string,
    @Args('password') password: string,
    @Args('otp') otp: string,
  ): Promise<RecoveryCodesType> {
    return { codes: await this.secondFactor.confirm(who, { secret, password, otp }) };
  }

  @Mutation(() => RecoveryCodesResult, { description: 'The old ones end.' })
  async renewRecoveryCodes(
    @Who() who: Principal,
    @Args('password') password: string,
    @Args('otp') otp: string,
  ): Promise<RecoveryCodesType> {
    return { codes: await this.secondFactor.renewCodes(who, { password, otp }) };
  }

  @Mutation(() => DoneResult)
  async removeSecondFactor(
    @Who() who: Principal,
    @Args('password') password: string,
    @Args('otp', { description: 'Or a recovery code.' }) otp: string,
  ): Promise<DoneType> {
    await this.secondFactor.remove(who, { password, otp });
    return { isDone: true };
  }
}
