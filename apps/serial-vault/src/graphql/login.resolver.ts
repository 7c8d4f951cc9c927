import { Args, Context, ID, Mutation, Resolver } from '@nestjs/graphql';
import { LoginService } from '../administration/login.service.js';
import { OidcLoginService, type BegunOidcLogin } from '../administration/oidc-login.service.js';
import { SecondFactorService } from '../administration/second-factor.service.js';
import type { VaultPrincipal } from '../administration/token.service.js';
import type { VaultSession } from '../administration/vault-session.js';
import { Who, type VaultContext } from './context.js';
import { DoneResult, type DoneType } from './key.type.js';
import {
  OidcLoginResult,
  RecoveryCodesResult,
  SecondFactorResult,
  SessionResult,
  type RecoveryCodesType,
  type SecondFactorType,
} from './login.type.js';

const OTP = {
  type: () => String,
  nullable: true,
  description: 'A code of the second factor, or a recovery code.',
};

/** What somebody does with their own login. */
@Resolver()
export class LoginResolver {
  constructor(
    private readonly logins: LoginService,
    private readonly oidcLogins: OidcLoginService,
    private readonly secondFactor: SecondFactorService,
  ) {}

  @Mutation(() => SessionResult, { description: 'For twelve hours; only a person approves.' })
  login(
    @Args('brand', { type: () => ID, description: 'Account id or user name.' }) brand: string,
    @Args('email') email: string,
    @Args('password') password: string,
    @Context() { address }: VaultContext,
    @Args('otp', OTP) otp?: string,
  ): Promise<VaultSession> {
    return this.logins.login({ brand, email, password, otp: otp ?? undefined }, address);
  }

  @Mutation(() => OidcLoginResult, {
    description: 'A login by the word of the provider, to be finished within ten minutes.',
  })
  beginOidcLogin(
    @Args('brand', { type: () => ID, description: 'Account id or user name.' }) brand: string,
    @Args('redirectUri', {
      description:
        'Where the browser comes back to: a loopback address, or one that was configured.',
    })
    redirectUri: string,
    @Context() { address }: VaultContext,
  ): Promise<BegunOidcLogin> {
    return this.oidcLogins.begin({ brand, redirectUri }, address);
  }

  @Mutation(() => SessionResult, {
    description: 'As `login`; asked for a code of the second factor, it is called again with one.',
  })
  finishOidcLogin(
    @Args('ticket', { description: 'Of `beginOidcLogin`.' }) ticket: string,
    @Args('response', {
      description: 'The query of the address that the browser came back to: `code=…&state=…`.',
    })
    response: string,
    @Context() { address }: VaultContext,
    @Args('otp', OTP) otp?: string,
  ): Promise<VaultSession> {
    return this.oidcLogins.finish({ ticket, response, otp: otp ?? undefined }, address);
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
