import { readFileSync } from 'node:fs';
import { decodeAssertions, signAssertion, type Assertion } from '#libs/assertions';
import { BrandAdmin } from '../../../tools/clients/brand-admin.js';
import { AdminStore } from '../../admin/support/admin-store.js';
import { StoreWorld, type Tenant } from '../../admin/support/store-world.js';
import { mutate } from '../../vault/vault-kit.js';

const now = (): string => new Date().toISOString().replace(/\.\d+Z$/, 'Z');

/**
 * A store and its vault, as for the simple way to production: ACME's devices know the store alone, register there without an API key,
 * and get serials of the operator's (generic) or of ACME's own.
 */
export class SimpleWay {
  acme!: Tenant;
  operator!: Tenant;
  /** The vault's key for ACME's generic serials: it belongs to the operator. */
  genericKey = '';
  /** Its key for serials in ACME's own name. */
  brandKey = '';

  private constructor(
    readonly store: AdminStore,
    readonly world: StoreWorld,
    /** The operator's generic authority, as models list it. */
    readonly generic: string,
    readonly vault: { readonly url: string; readonly token: string },
    readonly trusted: readonly Assertion[],
  ) {}

  static async start(env: Readonly<Record<string, string>> = {}): Promise<SimpleWay> {
    const store = await AdminStore.start({ apps: ['store-api', 'worker', 'serial-vault'], env });
    const { vaultUrl, vault, store: made } = store.installation;
    const way = new SimpleWay(
      ...([store, new StoreWorld(store), made.operatorAccountId] as const),
      { url: vaultUrl, token: vault.token ?? '' },
      decodeAssertions(readFileSync(made.rootAssertions)),
    );
    way.acme = await way.world.tenant(store.brand, 'acme');
    way.operator = await way.world.tenant(way.generic, 'operator');
    const chain = await (await way.people(way.acme)).accountChain(way.acme.brandId);
    const register = `registerBrand(${way.ofAcme}, assertions: $i)`;
    await way.inVault(register, 'Brand', 'id', ['String!', chain]);
    way.genericKey = await way.serialKey('generic', way.operator);
    way.brandKey = await way.serialKey('own-serials', way.acme);
    return way;
  }

  stop(): Promise<void> {
    return this.store.stop();
  }

  get ofAcme(): string {
    return `brand: "${this.acme.brandId}"`;
  }

  /** `more` replaces headers; undefined takes one away. */
  signModel(name: string, more: Record<string, unknown> = {}): Promise<Assertion> {
    const { brandId, signer } = this.acme;
    const headers = {
      ...{ 'authority-id': brandId, series: '16', 'brand-id': brandId, model: name },
      ...{ architecture: 'amd64', gadget: 'acme-gadget', kernel: 'acme-kernel', timestamp: now() },
      ...more,
    };
    const named = Object.entries(headers).filter(([, value]) => value !== undefined);
    const draft = { type: 'model', headers: Object.fromEntries(named) } as const;
    return signAssertion(draft, signer, new Date());
  }

  /** A model whose devices need no gadget and no API key: they know the store alone. */
  async simpleModel(
    name: string,
    more: Record<string, unknown> = {},
    policy: Record<string, unknown> = {},
  ): Promise<Assertion> {
    const model = await this.signModel(name, { 'serial-authority': [this.generic], ...more });
    const whole = {
      ...{ signingKeyId: this.genericKey, minimumKeyBits: 2048, needsApiKey: false },
      ...policy,
    };
    await mutate(
      this.vault,
      this.vault.token,
      `registerModel(${this.ofAcme}, assertion: $a, policy: $p)`,
      'Model',
      'policyRevision',
      { a: ['String!', model.bytes.toString()], p: ['PolicyInput!', whole] },
    );
    return model;
  }

  inVault<T>(call: string, type: string, fields: string, input?: [string, unknown]): Promise<T> {
    return mutate<T>(this.vault, this.vault.token, call, type, fields, input && { i: input });
  }

  private people({ admin }: Tenant): Promise<BrandAdmin> {
    return BrandAdmin.login(this.store.anonymous, admin.email, admin.password);
  }

  /** Made in the vault, certified by the store for the account that owns it; without constraints, which snapd 2.57 does not know. */
  private async serialKey(name: string, owner: Tenant): Promise<string> {
    const { keyId, accountKeyRequest } = await this.inVault<
      Record<'keyId' | 'accountKeyRequest', string>
    >(
      `createSigningKey(${this.ofAcme}, name: "${name}", account: "${owner.brandId}")`,
      'SigningKey',
      'keyId accountKeyRequest',
    );
    const certified = await (
      await this.people(owner)
    ).certifyRequest(owner.brandId, accountKeyRequest);
    const importKey = `importAccountKey(${this.ofAcme}, assertions: $i)`;
    await this.inVault(importKey, 'SigningKey', 'keyId', ['String!', certified]);
    return keyId;
  }
}
