import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeAssertion, header, localSigner, signAssertion, type Signer } from '#libs/assertions';
import { totpCode } from '#libs/auth';
import { GraphQLRefusal } from '../../tools/clients/graphql.js';
import { ask } from '../../tools/clients/http.js';
import { AdminStore, Person, literal, type Result } from './support/admin-store.js';
import { cheapKey } from '../../tools/clients/cheap-keys.js';

const signer = (): Signer => localSigner(cheapKey());
const now = (): string => new Date().toISOString().replace(/\.\d+Z$/, 'Z');

/** Status of a request that only says how large its body will be. */
const announced = (url: string, bytes: number): Promise<number> =>
  new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': bytes };
    const sent = request(`${url}/graphql`, { method: 'POST', headers }, (answer) => {
      resolve(answer.statusCode ?? 0);
      sent.destroy();
    });
    sent.on('error', reject).flushHeaders();
  });

describe('brands and people over GraphQL', () => {
  let store: AdminStore;
  beforeAll(async () => {
    store = await AdminStore.start();
  });
  afterAll(() => store?.stop());

  const post = async (body: unknown, headers: Record<string, string> = {}) =>
    (
      await ask(`${store.installation.storeUrl}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      })
    ).json<{ data: unknown; errors?: { message: string; extensions: { code: string } }[] }>();

  describe('bad input', () => {
    it('answers a document that makes no sense, too deep, or without login with a code', async () => {
      const unknown = '{ rollouts(brand: "x") { edges { node { snap { lanes { id } } } } } }';
      const nested =
        'query { __schema { types { fields { type { ofType { ofType { ofType { ofType { name } } } } } } } } }';
      for (const [body, code] of [
        [{ query: '{' }, 'bad-request'],
        [{ query: '{ nothing }' }, 'bad-request'],
        [{ query: nested }, 'bad-request'],
        [{ query: unknown }, 'unauthorized'],
        [{ query: '{ me { email } }' }, 'unauthorized'],
        [
          {
            query: `mutation { createFleet(brand: "x", input: {name: "a", priority: 1}) { __typename } }`,
          },
          'unauthorized',
        ],
      ] as const)
        expect((await post(body)).errors?.[0]?.extensions.code, JSON.stringify(body)).toBe(code);
    });

    it('answers a body that is no JSON, none of GraphQL, too large or of another type, and stays up', async () => {
      const send = async (
        type: string,
        body: string,
      ): Promise<{ status: number; code: unknown }> => {
        const answer = await ask(`${store.installation.storeUrl}/graphql`, {
          method: 'POST',
          headers: { 'content-type': type },
          body,
        });
        const { errors } = answer.json<{ errors: { extensions: { code: string } }[] }>();
        return { status: answer.status, code: errors[0]?.extensions.code };
      };
      const json = 'application/json';
      expect(await send(json, '{"query": ')).toEqual({ status: 400, code: 'bad-request' });
      expect(await send(json, '[1,2]')).toEqual({ status: 400, code: 'bad-request' });
      expect(await send(json, '{"query": 7}')).toEqual({ status: 400, code: 'bad-request' });
      expect(await announced(store.installation.storeUrl, 5_000_000)).toBe(413);
      expect(await send('text/csv', 'a,b')).toEqual({ status: 415, code: 'bad-request' });
      expect((await post({ query: '{ __typename }' })).data).toEqual({ __typename: 'Query' });
    });

    it('takes no bearer that it did not give, and none that was changed', async () => {
      const flipped = store.planner.token.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'));
      for (const bearer of ['x', 'bss_000000000000_' + 'A'.repeat(43), flipped]) {
        const answer = await post(
          { query: '{ me { email } }' },
          { authorization: `Bearer ${bearer}` },
        );
        expect(answer.errors?.[0]?.extensions.code).toBe('unauthorized');
      }
    });

    it('refuses a wrong password and an unknown person with the same words', async () => {
      const login = async (email: string): Promise<unknown> =>
        (
          await post({
            query: `mutation { login(email: "${email}", password: "wrong") { ... on Forbidden { message } } }`,
          })
        ).data;
      expect(await login('paula@acme.example')).toEqual(await login('nobody@acme.example'));
    });
  });

  it('S1 an operator makes brand and first store in one act; the account assertion shows its words, each change a new revision', async () => {
    const read = async (id = store.brand): Promise<ReturnType<typeof decodeAssertion>> => {
      const answer = await ask(`${store.installation.storeUrl}/v2/assertions/account/${id}`);
      return decodeAssertion(Buffer.from(answer.text));
    };
    const id = 'umbrella00000000000000000000brnd';
    const order = (more: string): string =>
      `createBrand(input: {id: "${id}", displayName: "Umbrella Ltd", validation: starred, ${more}})`;
    const refused = await store.operator.act(order('username: "umbrella", firstStore: {name: ""}'));
    expect(refused.problems?.map(({ path }) => path)).toEqual(['firstStore.name']);
    // Nothing of it is there: brand and store are one act.
    expect((await ask(`${store.installation.storeUrl}/v2/assertions/account/${id}`)).status).toBe(
      404,
    );
    // It takes an operator.
    expect(
      await store.planner.act(order('username: "umbrella", firstStore: {name: "shop"}')),
    ).toMatchObject({ __typename: 'Forbidden' });
    const made = await store.operator.act(
      order('username: "umbrella", firstStore: {name: "shop"}'),
      '... on Brand { id stores { name } }',
    );
    expect(made).toMatchObject({ __typename: 'Brand', id, stores: [{ name: 'shop' }] });
    const words = ['account-id', 'username', 'display-name', 'validation'];
    const umbrella = await read(id);
    expect(words.map((name) => header(umbrella, name))).toEqual([
      id,
      'umbrella',
      'Umbrella Ltd',
      'starred',
    ]);
    expect(
      await store.operator.act(order('username: "other", firstStore: {name: "shop"}')),
    ).toMatchObject({ __typename: 'Conflict' });
    const first = await read();
    expect(['username', 'display-name', 'validation'].map((name) => header(first, name))).toEqual([
      'acme',
      'acme',
      'verified',
    ]);
    const { brand } = await store.planner.ask<{
      brand: { stores: { name: string }[]; revision: number };
    }>(`brand(brand: "${store.brand}") { revision stores { name } }`);
    expect(brand).toEqual({ revision: 0, stores: [{ name: 'main' }] });
    const change = (more: string): Promise<Result> =>
      store.operator.act(`updateBrand(brand: "${store.brand}", ${more})`);
    const shown = async (): Promise<unknown[]> => {
      const now = await read();
      return [now.revision, header(now, 'display-name'), header(now, 'validation')];
    };
    const renamed = 'displayName: "ACME Corp", expectedRevision: 0';
    expect(await change(renamed)).toMatchObject({ __typename: 'Brand' });
    expect(await shown()).toEqual([1, 'ACME Corp', 'verified']);
    expect(await change('validation: starred, expectedRevision: 1')).toMatchObject({
      __typename: 'Brand',
    });
    expect(await shown()).toEqual([2, 'ACME Corp', 'starred']);
    expect(await change(renamed)).toMatchObject({
      __typename: 'Conflict',
      current: { revision: 2 },
    });
    // What changes nothing makes no revision.
    expect(await change('validation: starred')).toMatchObject({ __typename: 'Brand' });
    expect(await shown()).toEqual([2, 'ACME Corp', 'starred']);
  });

  it('only the operator makes brands, and names are taken once', async () => {
    const input = `{username: "globex", displayName: "Globex", validation: unproven, firstStore: {name: "main"}}`;
    expect(await store.planner.act(`createBrand(input: ${input})`)).toMatchObject({
      __typename: 'Forbidden',
    });
    // All at once: one comes first.
    const atOnce = await Promise.all(
      Array.from({ length: 6 }, () => store.operator.act(`createBrand(input: ${input})`)),
    );
    expect(atOnce.map((one) => one.__typename).sort()).toEqual([
      'Brand',
      ...Array.from({ length: 5 }, () => 'Conflict'),
    ]);
    const wrong = `{username: "No Slug", displayName: "", validation: unproven, firstStore: {name: "main"}}`;
    const refused = await store.operator.act(`createBrand(input: ${wrong})`);
    expect(refused.problems?.map(({ path }) => path)).toEqual(['username', 'displayName']);
  });

  it('an invited person chooses a password once, and lowering a role acts at once', async () => {
    const invited = await store.planner.act(
      `invitePerson(brand: "${store.brand}", email: "Vera@acme.example", displayName: "Vera", roles: [operator, viewer])`,
      '... on Member { personId invitation hasPassword }',
    );
    expect(invited).toMatchObject({ hasPassword: false });
    const accept = (password: string): Promise<{ data: unknown }> =>
      post({
        query: `mutation { acceptInvitation(invitation: "${String(invited.invitation)}", password: "${password}") { __typename ... on Session { token personId } ... on Invalid { message } } }`,
      });
    expect((await accept('short')).data).toMatchObject({
      acceptInvitation: { __typename: 'Invalid' },
    });
    const accepted = (await accept('long enough, I say')).data as {
      acceptInvitation: { token: string; personId: string };
    };
    expect((await accept('another password')).data).toMatchObject({
      acceptInvitation: { __typename: 'Forbidden' },
    });
    const { token, personId } = accepted.acceptInvitation;
    const vera = new Person(
      store.anonymous.as(token),
      token,
      personId,
      'long enough, I say',
      'vera@acme.example',
    );
    const hold = `hold(brand: "${store.brand}", input: {reason: "a test", until: "2999-01-01T00:00:00Z"})`;
    const held = await vera.act(hold, '... on Hold { id }');
    expect(held.__typename).toBe('Hold');
    await store.planner.act(
      `setRoles(brand: "${store.brand}", personId: "${personId}", roles: [viewer])`,
    );
    expect(await vera.act(hold)).toMatchObject({ __typename: 'Forbidden' });
    expect(await vera.ask(`snaps(brand: "${store.brand}") { edges { cursor } }`)).toEqual({
      snaps: { edges: [] },
    });
    await store.planner.act(
      `setRoles(brand: "${store.brand}", personId: "${personId}", roles: [])`,
    );
    await expect(vera.ask(`snaps(brand: "${store.brand}") { edges { cursor } }`)).rejects.toThrow(
      GraphQLRefusal,
    );
    await store.planner.act(`liftHold(brand: "${store.brand}", id: "${held.id}", reason: "over")`);
  });

  it('nobody of one brand reads or changes another brand, whatever ids they know', async () => {
    const globex = await store.createBrand('initech');
    const gina = await store.addPerson(
      'gina@initech.example',
      ['admin', 'releaser', 'operator'],
      globex,
    );
    await expect(
      gina.ask(`rollouts(brand: "${store.brand}") { edges { cursor } }`),
    ).rejects.toMatchObject({
      code: 'forbidden',
    });
    const fleet = await store.createFleet('theirs', 900, ['site', 'x']);
    const input = {
      title: 't',
      fleetId: fleet,
      snap: 'acme-dashboard',
      channel: 'stable',
      revision: 1,
    };
    expect(
      await gina.act(`createRollout(brand: "${globex}", input: ${literal(input)})`),
    ).toMatchObject({ __typename: 'NotFound' });
    expect(
      await gina.act(`setFleetDevices(brand: "${globex}", fleet: "${fleet}", devices: [])`),
    ).toMatchObject({ __typename: 'NotFound' });
  });

  it('an API token has some of its owner’s roles, shows once, and ends at once', async () => {
    const input = `{description: "ci", roles: [releaser], expiresInDays: 30}`;
    const made = await store.planner.act(
      `createApiToken(brand: "${store.brand}", input: ${input})`,
      '... on ApiToken { id secret }',
    );
    const secret = String(made.secret);
    const machine = new Person(store.anonymous.as(secret), secret, '', '', '');
    expect(await machine.ask('me { isToken memberships { roles } }')).toEqual({
      me: { isToken: true, memberships: [{ roles: ['releaser'] }] },
    });
    expect(
      await machine.act(`createApiToken(brand: "${store.brand}", input: ${input})`),
    ).toMatchObject({ __typename: 'Forbidden' });
    const { rows } = await store.owner.query<{ secret_hash: string }>(
      'SELECT secret_hash FROM store.tokens WHERE id = $1',
      [made.id],
    );
    expect(secret).not.toContain(rows[0]?.secret_hash ?? 'none');
    expect(
      await store.planner.act(
        `createApiToken(brand: "${store.brand}", input: {description: "x", roles: [approver], expiresInDays: 1})`,
      ),
    ).toMatchObject({ __typename: 'Invalid' });
    await store.planner.act(`revokeApiToken(brand: "${store.brand}", id: "${made.id}")`);
    await expect(machine.ask('me { email }')).rejects.toMatchObject({ code: 'unauthorized' });
  });

  it('login asks for the code of a second factor, and takes no code twice', async () => {
    const person = await store.addPerson('otto@acme.example', ['viewer']);
    const { graphql } = person;
    const { begin } = await graphql.run<{ begin: { secret: string } }>(
      'mutation { begin: beginSecondFactor { ... on SecondFactor { secret } } }',
    );
    const confirm = (otp: string): string =>
      `confirmSecondFactor(secret: "${begin.secret}", password: "${person.password}", otp: "${otp}")`;
    expect(await person.act(confirm('000000'))).toMatchObject({ __typename: 'Forbidden' });
    const code = totpCode(begin.secret, new Date());
    expect(await person.act(confirm(code))).toMatchObject({ __typename: 'RecoveryCodes' });
    const login = async (otp: string): Promise<unknown> =>
      (
        await post({
          query: `mutation { login(email: "otto@acme.example", password: "${person.password}"${otp}) { __typename } }`,
        })
      ).data;
    expect(await login('')).toEqual({ login: { __typename: 'Forbidden' } });
    expect(await login(`, otp: "${code}"`)).toEqual({ login: { __typename: 'Forbidden' } });
    const next = totpCode(begin.secret, new Date(Date.now() + 30_000));
    expect(await login(`, otp: "${next}"`)).toEqual({ login: { __typename: 'Session' } });
    expect(await login(`, otp: "${next}"`)).toEqual({ login: { __typename: 'Forbidden' } });
    const { rows } = await store.owner.query<{ totp_secret: string }>(
      `SELECT totp_secret FROM store.people WHERE email = 'otto@acme.example'`,
    );
    expect(rows[0]?.totp_secret).not.toContain(begin.secret);
  });

  it('changing a password ends the other sessions', async () => {
    const person = await store.addPerson('petra@acme.example', ['viewer']);
    const other = await store.login(person.email, person.password);
    expect(
      await person.act(`changePassword(current: "wrong", next: "a new password")`),
    ).toMatchObject({ __typename: 'Forbidden' });
    expect(
      await person.act(`changePassword(current: "${person.password}", next: "a new password")`),
    ).toMatchObject({ __typename: 'Done' });
    await expect(other.ask('me { email }')).rejects.toMatchObject({ code: 'unauthorized' });
    expect(await person.ask('me { email }')).toEqual({ me: { email: person.email } });
  });

  describe('keys and models', () => {
    const key = signer();
    const requestKey = (
      account: string,
      name: string,
      by = key,
      of = key,
    ): Promise<{ bytes: Buffer }> =>
      signAssertion(
        {
          type: 'account-key-request',
          headers: {
            'account-id': account,
            name,
            'public-key-sha3-384': of.publicKey.id,
            since: now(),
          },
          body: of.publicKey.encoded,
        },
        by,
        new Date(),
      );
    const certify = async (text: string, more: object = {}) =>
      store.planner.act(
        `certifyAccountKey(brand: "${store.brand}", input: ${literal({ request: text, ...more })})`,
        '... on AccountKey { keyId assertion }',
      );
    const model = async (changes: Record<string, unknown> = {}, by = key): Promise<string> => {
      const headers = {
        'authority-id': store.brand,
        series: '16',
        'brand-id': store.brand,
        model: 'acme-device-1',
        architecture: 'amd64',
        base: 'acme-base',
        gadget: 'acme-gadget',
        kernel: 'acme-kernel',
        'required-snaps': ['acme-dashboard'],
        timestamp: now(),
        ...changes,
      };
      return (await signAssertion({ type: 'model', headers }, by, new Date())).bytes.toString();
    };
    const register = (text: string) =>
      store.planner.act(
        `registerModel(brand: "${store.brand}", assertion: ${JSON.stringify(text)})`,
        '... on Model { model revision signKeyId }',
      );

    it('certifies a brand’s own key, once, under one name', async () => {
      const text = (await requestKey(store.brand, 'models')).bytes.toString();
      const first = await certify(text);
      expect(first).toMatchObject({ __typename: 'AccountKey', keyId: key.publicKey.id });
      expect(await certify(text)).toEqual(first);
      expect(
        await certify((await requestKey(store.brand, 'other')).bytes.toString()),
      ).toMatchObject({
        __typename: 'Conflict',
      });
      const second = signer();
      expect(
        await certify((await requestKey(store.brand, 'models', second, second)).bytes.toString()),
      ).toMatchObject({ __typename: 'Conflict' });
      const served = await ask(
        `${store.installation.storeUrl}/v2/assertions/account-key/${key.publicKey.id}?max-format=1`,
      );
      expect(served.text).toBe(first.assertion);
    });

    it('refuses a request for another account, a tampered one, and text that is none', async () => {
      const other = signer();
      const fine = (await requestKey(store.brand, 'fine', other, other)).bytes.toString();
      for (const text of [
        (await requestKey('A'.repeat(32), 'foreign', other, other)).bytes.toString(),
        fine.replace('name: fine', 'name: fint'),
        'not an assertion',
        await model(),
      ])
        expect(await certify(text)).toMatchObject({ __typename: 'Invalid' });
    });

    it('limits a vault’s key by constraints', async () => {
      const vault = signer();
      const made = await certify(
        (await requestKey(store.brand, 'vault', vault, vault)).bytes.toString(),
        {
          constraints: [{ headers: { type: 'serial' } }],
        },
      );
      expect(decodeAssertion(Buffer.from(String(made.assertion)))).toMatchObject({
        format: 1,
        headers: { constraints: [{ headers: { type: 'serial' } }] },
      });
      const refused = await register(await model({ revision: '9' }, vault));
      expect(refused).toMatchObject({ __typename: 'Invalid' });
      expect(refused.message).toContain('constraints');
    });

    it('registers a model that a key of the brand signed, and refuses all others with the reason', async () => {
      const text = await model();
      expect(await register(text)).toMatchObject({
        model: 'acme-device-1',
        revision: 0,
        signKeyId: key.publicKey.id,
      });
      expect(await register(text)).toMatchObject({ __typename: 'Model' });
      expect(
        await register(await model({ timestamp: now(), 'display-name': 'again' })),
      ).toMatchObject({ __typename: 'Conflict' });
      expect(await register(await model({ revision: '1' }))).toMatchObject({ revision: 1 });
      for (const [wrong, said] of [
        [await model({ revision: '2' }, signer()), 'no account-key'],
        [
          (await model({ revision: '2' })).replace('architecture: amd64', 'architecture: arm64'),
          'signature',
        ],
        [await model({ revision: '2', store: 'nobodys' }), 'not this brand'],
        [(await model({ revision: '2' })).replaceAll(store.brand, 'B'.repeat(32)), 'another brand'],
        ['{"model": "x"}', 'cannot take'],
      ] as const)
        expect(await register(wrong), said).toMatchObject({
          __typename: 'Invalid',
          message: expect.stringContaining(said) as string,
        });
      const { models } = await store.planner.ask<{
        models: { revision: number; assertion: string }[];
      }>(`models(brand: "${store.brand}") { revision assertion }`);
      expect(models[0]?.assertion).toBe(text);
    });
  });

  it('U102 the same idempotency key gives the first answer again; with another body it conflicts', async () => {
    const act = (name: string): Promise<unknown> =>
      store.planner.act(
        `createFleet(brand: "${store.brand}", input: {name: "${name}", priority: 777, devices: []}, idempotencyKey: "fleet-1")`,
        '... on Fleet { id name createdAt }',
      );
    const [first, twin] = await Promise.all([act('same'), act('same')]);
    expect(first).toMatchObject({ __typename: 'Fleet', name: 'same' });
    expect(twin).toEqual(first);
    await store.installation.processes.kill('store-api');
    await store.installation.processes.restart('store-api');
    expect(await act('same')).toEqual(first);
    expect(await act('other')).toMatchObject({ __typename: 'Conflict' });
  });

  it('U17 of fleets made at once with one priority, one is made', async () => {
    const made = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        store.planner.act(
          `createFleet(brand: "${store.brand}", input: {name: "racer ${index}", priority: 555, devices: []})`,
        ),
      ),
    );
    expect(made.map(({ __typename }) => __typename).sort()).toEqual([
      ...Array<string>(7).fill('Conflict'),
      'Fleet',
    ]);
  });

  it('tells what is wrong with a predicate, and where', async () => {
    const predicate = {
      all: [
        { fact: 'tag:site', equals: 'berlin' },
        { fact: 'colour', equals: 'red' },
      ],
    };
    const refused = await store.planner.act(
      `createFleet(brand: "${store.brand}", input: ${literal({ name: 'x', priority: 1, predicate })})`,
    );
    expect(refused.problems?.[0]?.path).toBe('predicate.all[1]');
  });

  it('shows devices page by page, and tags them', async () => {
    const uids = (await store.addDevices(7, { site: 'x' })).sort();
    const seen: string[] = [];
    for (let after = ''; ;) {
      const { devices } = await store.planner.ask<{
        devices: {
          edges: { node: { uid: string } }[];
          pageInfo: { endCursor: string; hasNextPage: boolean };
        };
      }>(
        `devices(brand: "${store.brand}", first: 3${after && `, after: "${after}"`}) { edges { node { uid installed { revision } } } pageInfo { endCursor hasNextPage } }`,
      );
      seen.push(...devices.edges.map(({ node }) => node.uid));
      if (!devices.pageInfo.hasNextPage) break;
      after = devices.pageInfo.endCursor;
    }
    expect(seen).toEqual(uids);
    const tag = (tags: object, more = ''): Promise<Result> =>
      store.planner.act(
        `tagDevice(brand: "${store.brand}", device: "${uids[0]}", tags: ${literal(tags)}${more})`,
        '... on Device { tags timezone }',
      );
    expect(await tag({ floor: '3', site: null }, ', timezone: "Europe/Berlin"')).toMatchObject({
      tags: { floor: '3' },
      timezone: 'Europe/Berlin',
    });
    expect(await tag({}, ', timezone: "Mars/Olympus"')).toMatchObject({ __typename: 'Invalid' });
    expect(await tag({ UPPER: 'x' })).toMatchObject({ __typename: 'Invalid' });
    await expect(
      store.planner.ask(`devices(brand: "${store.brand}", after: "%%%") { edges { cursor } }`),
    ).rejects.toMatchObject({ code: 'invalid' });
  });

  it('writes every act into the audit log, with who did it', async () => {
    const auditor = await store.addPerson('uta@acme.example', ['auditor']);
    const { auditLog } = await auditor.ask<{
      auditLog: { edges: { node: { action: string; actor: string; seq: number } }[] };
    }>(
      `auditLog(brand: "${store.brand}", first: 500) { edges { node { seq action actor subject } } }`,
    );
    const actions = auditLog.edges.map(({ node }) => node.action);
    for (const action of [
      'create-brand',
      'add-person',
      'set-roles',
      'certify-key',
      'register-model',
      'create-fleet',
      'tag-device',
    ])
      expect(actions).toContain(action);
    expect(auditLog.edges.find(({ node }) => node.action === 'register-model')?.node.actor).toBe(
      `person:${store.planner.personId}`,
    );
    expect(auditLog.edges.map(({ node }) => node.seq)).toEqual(
      auditLog.edges.map((_, index) => auditLog.edges.length - index),
    );
  });
});
