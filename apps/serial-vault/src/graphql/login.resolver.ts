import { Args, Context, ID, Mutation, Resolver } from '@nestjs/graphql';
import { LoginService, type VaultSession } from '../administration/login.service.js';
import { SecondFactorService } from '../administration/second-factor.service.js';
import type { VaultPrincipal } from '../administration/token.service.js';
import { Who, type VaultContext } from './context.js';
import { DoneResult, type DoneType } from './key.type.js';
import {
  RecoveryCodesResult,
  SecondFactorResult,
  SessionResult,
  type RecoveryCodesType,
  type SecondFactorType,
} from './login.type.js';

/** What somebody does with their own login. */
@Resolver()
export class LoginResolver {
  constructor(
    private readonly logins: LoginService,
    private readonly secondFactor: SecondFactorService,
  ) {}

  @Mutation(() => SessionResult, { description: 'For twelve hours; only a person approves.' })
  login(
    @Args('brand', { type: () => ID, description: 'Account id or user name.' }) brand: string,
    @Args('email') email: string,
    @Args('password') password: string,
    @Context() { address }: VaultContext,
    @Args('otp', {
      type: () => String,
      nullable: true,
      description: 'A code of the second factor, or a recovery code.',
    })
    otp?: string,
  ): Promise<VaultSession> {
    return this.logins.login({ brand, email, password, otp: otp ?? undefined }, address);
  }

  @Mutation(() => SessionResult, { description: 'Chooses the password and logs in.' })
  acceptInvitation(
    @Args('invitation') invitation: string,
    @Args('password') password: string,
  ): Promise<VaultSession> {
    return this.logins.accept(invitation, password);
  }

  @Mutation(() => DoneResult)
  async logout(@Who() who: VaultPrincipal): Promise<DoneType> {
    await this.logins.logout(who);
    return { isDone: true };
  }

  @Mutation(() => DoneResult, { description: 'Ends your other logins.' })
  async changePassword(
    @Who() who: VaultPrincipal,
    @Args('current') current: string,
    @Args('next') next: string,
  ): Promise<DoneType> {
    await this.logins.changePassword(who, current, next);
    return { isDone: true };
  }

  @Mutation(() => SecondFactorResult, { description: 'A secret for an authenticator app.' })
  beginSecondFactor(@Who() who: VaultPrincipal): SecondFactorType {
    return this.secondFactor.begin(who);
  }

  @Mutation(() => RecoveryCodesResult, { description: 'From now on login asks for a code.' })
  async confirmSecondFactor(
    @Who() who: VaultPrincipal,
    @Args('secret') secret: string,
    @Args('password') password: string,
    @Args('otp') otp: string,
  ): Promise<RecoveryCodesType> {
    return { codes: await this.secondFactor.confirm(who, secret, { password, otp }) };
  }

  @Mutation(() => DoneResult)
  async removeSecondFactor(
    @Who() who: VaultPrincipal,
    @Args('password') password: string,
    @Args('otp') otp: string,
  ): Promise<DoneType> {
    await this.secondFactor.remove(who, { password, otp });
    return { isDone: true };
  }
}
