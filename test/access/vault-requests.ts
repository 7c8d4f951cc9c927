import { randomUUID } from 'node:crypto';
import { MEDIA_TYPE, signAssertion } from '#libs/assertions';
import { timestamp } from '#libs/operations';
import { requestId, serialRequest } from '../vault/vault-kit.js';
import { get, type Order, type Sendable, type Template } from './request.js';

/** What the brand's vault says to the store, signed with its own key, in another's name (ARCHITECTURE.md). */
async function signed({ own }: Order, path: string, content: object): Promise<Sendable> {
  const body = JSON.stringify({ id: randomUUID(), ...content });
  const signature = Buffer.from(await own.signer.sign(Buffer.from(body))).toString('base64');
  const headers = { 'vault-key': own.signer.publicKey.id, 'vault-signature': signature };
  return {
    method: 'POST',
    path,
    headers: { 'content-type': 'application/json', ...headers },
    body,
  };
}

const events: Template = {
  name: 'end of a device',
  by: 'ownVault',
  acts: true,
  make: (order) => {
    const { brand, model, serial } = order.named;
    const at = new Date().toISOString();
    const device = { 'brand-id': brand, model, serial, at, reason: 'lost' };
    return signed(order, '/api/v1/vault/events', { kind: 'revoked', ...device });
  },
};

const models: Template = {
  name: 'models',
  by: 'ownVault',
  // The answer for one's own is signed by the store key, which this store has not.
  acts: true,
  make: (order) =>
    signed(order, '/api/v1/vault/models', { kind: 'models', 'brand-id': order.named.brand }),
};

/** The device's own key and API key, for a model of another. */
const serialOf = (name: string, modelOf: (order: Order) => Promise<string>): Template => ({
  name: `serial: ${name}`,
  by: 'factory',
  acts: true,
  // In the signing log.
  isKept: true,
  make: async (order) => {
    const { named, own, world } = order;
    const id = await requestId({ url: world.urls.vault }, own.gadgetKey);
    const headers = { 'brand-id': named.brand, model: named.model };
    const { model } = own.box.options;
    const request = await serialRequest(model, id, own.box.signer, named.serial, { headers });
    return {
      method: 'POST',
      path: '/v1/serial',
      headers: { 'content-type': MEDIA_TYPE },
      body: `${request.bytes.toString()}\n${await modelOf(order)}`,
    };
  },
});

/** Signed by whose it is, as if it had been found on a device of theirs. */
async function modelOfNamed({ named, world }: Order): Promise<string> {
  const { brand, model } = named;
  const headers = {
    'authority-id': brand,
    series: '16',
    'brand-id': brand,
    model,
    architecture: 'amd64',
    gadget: 'acme-gadget',
    kernel: 'acme-kernel',
    timestamp: timestamp(new Date()),
  };
  const assertion = await signAssertion(
    { type: 'model', headers },
    world.signerOf(brand),
    new Date(),
  );
  return assertion.bytes.toString();
}

/** A production order by file: there is nothing to read, so nothing may be told. */
const order: Template = {
  name: 'order of a model',
  by: 'vaultPeople',
  acts: true,
  make: ({ named }) => ({
    method: 'POST',
    path: `/admin/v1/brands/${named.brand}/models/${named.model}/serials`,
    headers: { 'content-type': 'text/csv' },
    body: 'serial\n',
  }),
};

const reconciliation: Template = {
  name: 'reconciliation of an order',
  by: 'vaultPeople',
  acts: true,
  make: ({ named }) => ({
    method: 'POST',
    path: `/admin/v1/brands/${named.brand}/models/${named.model}/reconciliation`,
    headers: { 'content-type': 'text/csv' },
    body: 'serial\n',
  }),
};

const deviceStates: Template = {
  name: 'how far devices have come',
  by: 'ownVault',
  // As with models.
  acts: true,
  make: (order) => {
    const { brand, model, serial } = order.named;
    const content = { kind: 'devices', 'brand-id': brand, model, serials: [serial] };
    return signed(order, '/api/v1/vault/devices', content);
  },
};

export const VAULT: readonly Template[] = [
  reconciliation,
  deviceStates,
  get(
    'vaultPeople',
    'export of the log',
    ({ brand }) => `/admin/v1/brands/${brand}/serial-log/export`,
  ),
  order,
  events,
  models,
  serialOf('with the own model', ({ own }) =>
    Promise.resolve(own.box.options.model.bytes.toString()),
  ),
  serialOf('with the other model', modelOfNamed),
];
