import { Args, ID, Mutation, Query, Resolver } from '@nestjs/graphql';
import type { VaultBrand, VaultKeyPurpose } from '#libs/database';
import { BrandService } from '../administration/brand.service.js';
import { SigningKeyService, type SigningKeyView } from '../administration/signing-key.service.js';
import type { VaultPrincipal } from '../administration/token.service.js';
import { Who } from './context.js';
import {
  BrandResult,
  BrandType,
  ImportedResult,
  KeyPurposeEnum,
  SigningKeyResult,
  SigningKeyType,
  type ImportedType,
} from './key.type.js';

/** Brands, and the keys that sign for them. */
@Resolver()
export class BrandResolver {
  constructor(
    private readonly brandService: BrandService,
    private readonly keys: SigningKeyService,
  ) {}

  @Query(() => [BrandType])
  brands(@Who() who: VaultPrincipal): Promise<VaultBrand[]> {
    return this.brandService.list(who.brandId);
  }

  @Query(() => [SigningKeyType])
  signingKeys(@Args('brand', { type: () => ID }) brand: string): Promise<SigningKeyView[]> {
    return this.keys.list(brand);
  }

  @Query(() => String, {
    description:
      'X25519; a private key is encrypted for it before it is sent. Of the signer, until its end.',
  })
  keyTransport(@Args('brand', { type: () => ID }) _brand: string): Promise<string> {
    return this.keys.transportKey();
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
    @Args('purpose', { type: () => KeyPurposeEnum, defaultValue: 'serial' })
    purpose: VaultKeyPurpose = 'serial',
  ): Promise<SigningKeyView> {
    return this.keys.create(who, brand, name, account ?? brand, purpose);
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
    description:
      'Disabling needs the names of all models that sign with the key, and then a second person.',
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
    description: 'Another person disables the key: names the models that sign with it once more.',
  })
  confirmKeyDisabling(
    @Who() who: VaultPrincipal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('keyId', { type: () => ID }) keyId: string,
    @Args('confirmModels', { type: () => [ID] }) confirmModels: string[],
  ): Promise<SigningKeyView> {
    return this.keys.confirmDisabling(who, brand, keyId, confirmModels);
  }

  @Mutation(() => SigningKeyResult, {
    description:
      'RSA of 4096 bits or more: PEM or armour of GnuPG, encrypted for the keyTransport of now (`brandstore vault import-key`); it does not come out again.',
  })
  importSigningKey(
    @Who() who: VaultPrincipal,
    @Args('brand', { type: () => ID }) brand: string,
    @Args('name') name: string,
    @Args('key') key: string,
  ): Promise<SigningKeyView> {
    return this.keys.import(who, brand, name, key);
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
}
