import { Args, ID, Mutation, Query, Resolver } from '@nestjs/graphql';
import type { VaultBrand } from '#libs/database';
import { BrandService } from '../administration/brand.service.js';
import { SigningKeyService, type SigningKeyView } from '../administration/signing-key.service.js';
import {
  TokenService,
  type NewToken,
  type VaultPrincipal,
} from '../administration/token.service.js';
import { Who } from './context.js';
import {
  BrandResult,
  BrandType,
  DoneResult,
  ImportedResult,
  MeType,
  NewTokenResult,
  SigningKeyResult,
  SigningKeyType,
  TokenInput,
  type DoneType,
  type ImportedType,
} from './key.type.js';

/** Brands, the keys that sign for them, and the tokens of who administers. */
@Resolver()
export class BrandResolver {
  constructor(
    private readonly brandService: BrandService,
    private readonly keys: SigningKeyService,
    private readonly tokens: TokenService,
  ) {}

  @Query(() => MeType)
  me(@Who() who: VaultPrincipal): MeType {
    return who;
  }

  @Query(() => [BrandType])
  brands(@Who() who: VaultPrincipal): Promise<VaultBrand[]> {
    return this.brandService.list(who.brandId);
  }

  @Query(() => [SigningKeyType])
  signingKeys(@Args('brand', { type: () => ID }) brand: string): Promise<SigningKeyView[]> {
    return this.keys.list(brand);
  }

  @Mutation(() => BrandResult, {
    description: 'Takes a brand in by its account assertion and the chain to the root.',
  })
  registerBrand(
    @Who() who: VaultPrincipal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('assertions') assertions: string,
  ): Promise<VaultBrand> {
    return this.brandService.register(who, brand, assertions);
  }

  @Mutation(() => ImportedResult, {
    description: 'Accounts and account-keys, such as a new key that signs models.',
  })
  async importAssertions(
    @Who() who: VaultPrincipal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('assertions') assertions: string,
  ): Promise<ImportedType> {
    return { keyIds: await this.brandService.import(who, brand, assertions) };
  }

  @Mutation(() => SigningKeyResult, {
    description: 'Makes a key; its accountKeyRequest goes to the store.',
  })
  createSigningKey(
    @Who() who: VaultPrincipal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('name') name: string,
    @Args('account', {
      type: () => ID,
      nullable: true,
      description: 'Another account that models name in serial-authority.',
    })
    account?: string,
  ): Promise<SigningKeyView> {
    return this.keys.create(who, brand, name, account ?? brand);
  }

  @Mutation(() => SigningKeyResult, {
    description: 'The account-key that the store gave for the accountKeyRequest.',
  })
  importAccountKey(
    @Who() who: VaultPrincipal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('assertions') assertions: string,
  ): Promise<SigningKeyView> {
    return this.keys.importAccountKey(who, brand, assertions);
  }

  @Mutation(() => SigningKeyResult, {
    description: 'Disabling needs the names of all models that sign with the key.',
  })
  setSigningKeyEnabled(
    @Who() who: VaultPrincipal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('keyId', { type: () => ID }) keyId: string,
    @Args('isEnabled') isEnabled: boolean,
    @Args('confirmModels', { type: () => [ID], nullable: true }) confirmModels?: string[],
  ): Promise<SigningKeyView> {
    return this.keys.setEnabled(who, brand, keyId, isEnabled, confirmModels ?? []);
  }

  @Mutation(() => SigningKeyResult, {
    description: 'RSA of 4096 bits or more: PEM or armour of GnuPG; it does not come out again.',
  })
  importSigningKey(
    @Who() who: VaultPrincipal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('name') name: string,
    @Args('key') key: string,
    @Args('passphrase', { type: () => String, nullable: true }) passphrase?: string,
  ): Promise<SigningKeyView> {
    return this.keys.import(who, brand, name, key, passphrase ?? undefined);
  }

  @Mutation(() => SigningKeyResult, {
    description: 'Only a key that no policy ever named; others are disabled.',
  })
  deleteSigningKey(
    @Who() who: VaultPrincipal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('keyId', { type: () => ID }) keyId: string,
  ): Promise<SigningKeyView> {
    return this.keys.delete(who, brand, keyId);
  }

  @Mutation(() => NewTokenResult)
  createToken(
    @Who() who: VaultPrincipal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('input') input: TokenInput,
  ): Promise<NewToken> {
    return this.tokens.create(who, brand, input);
  }

  @Mutation(() => DoneResult)
  async revokeToken(
    @Who() who: VaultPrincipal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('id', { type: () => ID }) id: string,
  ): Promise<DoneType> {
    await this.tokens.revoke(who, brand, id);
    return { isDone: true };
  }
}
