import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { totpCode } from '#libs/auth';
import { ask } from '../../tools/clients/http.js';
import { Publisher } from '../../tools/clients/publisher.js';
import { CliUser } from '../cli/support/run-cli.js';
import { AdminStore, Enum, Person, SNAPS, literal, type Result } from './support/admin-store.js';

interface Grant {
  readonly role: string;
  readonly stores?: readonly string[];
  readonly fleets?: readonly string[];
  readonly snaps?: readonly string[];
}

const PASSWORD = 'long enough, I say';

interface List<T> {
  edges: { node: T }[];
}

describe('who may do what, and what is kept of it', () => {
  let store: AdminStore;
  let lab = '';
  let berlin = '';
  let paris = '';

  beforeAll(async () => {
    store = await AdminStore.start();
    const made = await store.planner.act(
      `createStore(brand: "${store.brand}", input: {name: "lab"})`,
      '... on Store { id }',
    );
    lab = made.id ?? '';
    const publisher = new Publisher(store.installation.storeUrl);
    await publisher.login(store.planner.email, store.planner.password);
    await publisher.register('acme-dashboard', { store: lab });
    await publisher.upload('acme-dashboard', join(SNAPS, 'acme-dashboard_1.snap'), ['stable']);
    await publisher.register('main-tool');
    berlin = await store.createFleet('berlin', 10, ['site', 'berlin']);
    paris = await store.createFleet('paris', 20, ['site', 'paris']);
  });
  afterAll(() => store?.stop());

  const grantsOf = (grants: readonly Grant[]): string =>
    literal(grants.map(({ role, ...limits }) => ({ role: new Enum(role), ...limits })));

  const invite = (email: string, grants: readonly Grant[], who = store.planner): Promise<Result> =>
    who.act(
      `invitePerson(brand: "${store.brand}", email: "${email}", displayName: "${email}", grants: ${grantsOf(grants)})`,
      '... on Member { personId invitation invitationLink invitedUntil hasPassword }',
    );

  const accept = async (invitation: unknown): Promise<Result> => {
    const { result } = await store.anonymous.run<{ result: Result }>(
      `mutation ($invitation: String!, $password: String!) { result: acceptInvitation(invitation: $invitation, password: $password) {
        __typename ... on Session { token personId } ... on Forbidden { message } } }`,
      { invitation, password: PASSWORD },
    );
    return result;
  };

  /** Invited with these grants, and logged in by the secret of the invitation. */
  const person = async (name: string, grants: readonly Grant[]): Promise<Person> => {
    const email = `${name}@acme.example`;
    const invited = await invite(email, grants);
    const { token, personId } = await accept(invited.invitation);
    const text = String(token);
    return new Person(store.anonymous.as(text), text, String(personId), PASSWORD, email);
  };

  const setRoles = (who: Person, grants: readonly Grant[], by = store.planner): Promise<Result> =>
    by.act(
      `setRoles(brand: "${store.brand}", personId: "${who.personId}", grants: ${grantsOf(grants)}, reason: "a test")`,
      '... on Member { roles grants { role stores fleets snaps } }',
    );

  const kind = async (result: Promise<Result>): Promise<string> => (await result).__typename;
  let edits = 0;
  const declare = async (who: Person, snap: string): Promise<string> => {
    edits += 1;
    const input = { plugs: { camera: { 'allow-auto-connection': edits % 2 === 1 } } };
    const { result } = await who.graphql.run<{ result: Result }>(
      `mutation ($brand: ID!, $snap: String!, $input: DeclarationInput!) {
        result: editSnapDeclaration(brand: $brand, snap: $snap, input: $input, reason: "a test") { __typename } }`,
      { brand: store.brand, snap, input },
    );
    return result.__typename;
  };
  const hold = (who: Person, more: string): Promise<string> =>
    kind(
      who.act(
        `hold(brand: "${store.brand}", input: {${more}, until: "2999-01-01T00:00:00Z", reason: "a test"})`,
      ),
    );
  const names = async (who: Person): Promise<string[]> =>
    (
      await who.ask<{ snaps: List<{ name: string }> }>(
        `snaps(brand: "${store.brand}") { edges { node { name } } }`,
      )
    ).snaps.edges.map(({ node }) => node.name);

  it('S2 an admin invites by mail address with roles per store; lowering a role acts at once, on what lives too', async () => {
    const { brand } = await store.planner.ask<{
      brand: { stores: { id: string; name: string }[] };
    }>(`brand(brand: "${store.brand}") { stores { id name } }`);
    const main = brand.stores.find(({ name }) => name === 'main')?.id ?? '';
    let renames = 0;
    const update = (who: Person, id: string): Promise<string> =>
      kind(
        who.act(
          `updateStore(brand: "${store.brand}", store: "${id}", input: {name: "renamed ${(renames += 1)}"}, reason: "a test")`,
        ),
      );

    const admin = await person('ada', [{ role: 'admin', stores: [lab] }]);
    expect([await update(admin, lab), await update(admin, main)]).toEqual(['Store', 'Forbidden']);
    // An admin of one store hands out no more than that.
    expect(await kind(invite('x@acme.example', [{ role: 'viewer' }], admin))).toBe('Forbidden');
    const reviewer = await invite(
      'rita@acme.example',
      [{ role: 'reviewer', stores: [lab] }],
      admin,
    );
    expect(reviewer.__typename).toBe('Member');
    const session = await accept(reviewer.invitation);
    const rita = new Person(
      store.anonymous.as(String(session.token)),
      String(session.token),
      String(session.personId),
      PASSWORD,
      'rita@acme.example',
    );
    expect(await declare(rita, 'main-tool')).toBe('Forbidden');
    expect(await declare(rita, 'acme-dashboard')).toBe('SnapDeclaration');

    const viewer = await person('vera', [{ role: 'viewer', stores: [lab] }]);
    expect(await names(viewer)).toEqual(['acme-dashboard']);
    expect(await declare(viewer, 'acme-dashboard')).toBe('Forbidden');
    await expect(
      viewer.ask(`snap(brand: "${store.brand}", name: "main-tool") { name }`),
    ).rejects.toMatchObject({ code: 'forbidden' });

    const paul = await person('paul', [{ role: 'publisher', stores: [lab] }]);
    const snapcraft = new Publisher(store.installation.storeUrl);
    await snapcraft.login(paul.email, PASSWORD);
    await snapcraft.register('paul-tool');
    await expect(snapcraft.register('paul-main', { store: main })).rejects.toThrow();
    expect(await names(paul)).toEqual(['acme-dashboard', 'paul-tool']);

    expect(await kind(setRoles(rita, [{ role: 'viewer', stores: [lab] }]))).toBe('Member');
    expect(await declare(rita, 'acme-dashboard')).toBe('Forbidden');
    expect(await kind(setRoles(paul, [{ role: 'viewer' }]))).toBe('Member');
    await expect(snapcraft.register('paul-more')).rejects.toThrow('401');
    expect(await kind(setRoles(viewer, []))).toBe('Member');
    await expect(names(viewer)).rejects.toMatchObject({ code: 'forbidden' });
    expect(await update(admin, lab)).toBe('Store');
    await store.planner.act(
      `removePerson(brand: "${store.brand}", personId: "${admin.personId}", reason: "left")`,
    );
    expect(await update(admin, lab)).toBe('Forbidden');
  });

  it('an invitation is used once, resent and revoked; its link leads to a page; nobody takes the last admin', async () => {
    const invited = await invite('ivan@acme.example', [{ role: 'viewer' }]);
    expect(invited).toMatchObject({ hasPassword: false });
    expect(Date.parse(String(invited.invitedUntil))).toBeGreaterThan(Date.now() + 6 * 86_400_000);
    const link = new URL(String(invited.invitationLink));
    expect(link.hash).toBe(`#${String(invited.invitation)}`);
    const page = await ask(`${store.installation.storeUrl}${link.pathname}`);
    expect(page.text).toContain('Choose your password');
    const again = await store.planner.act(
      `resendInvitation(brand: "${store.brand}", personId: "${String(invited.personId)}")`,
      '... on Member { invitation }',
    );
    expect(await accept(invited.invitation)).toMatchObject({ __typename: 'Forbidden' });
    await store.planner.act(
      `revokeInvitation(brand: "${store.brand}", personId: "${String(invited.personId)}")`,
    );
    expect(await accept(again.invitation)).toMatchObject({ __typename: 'Forbidden' });
    const bad = await invite('ivan@acme.example', [{ role: 'viewer', stores: ['nowhere'] }]);
    expect(bad.problems?.map(({ path }) => path)).toEqual(['grants[0].stores']);
    expect(await setRoles(store.planner, [{ role: 'releaser' }])).toMatchObject({
      __typename: 'Conflict',
    });
  });

  it('a role within fleets and snaps acts and sees within them, and nowhere else', async () => {
    const otto = await person('otto', [
      { role: 'operator', fleets: ['berlin'], snaps: ['acme-dashboard'] },
    ]);
    const [here = ''] = await store.addDevices(1, { site: 'berlin' });
    const [there = ''] = await store.addDevices(1, { site: 'paris' });
    const snap = 'snap: "acme-dashboard"';
    expect([
      await hold(otto, `fleetId: "${berlin}", ${snap}`),
      await hold(otto, `deviceUid: "${here}", ${snap}`),
      await hold(otto, `fleetId: "${berlin}"`),
      await hold(otto, `fleetId: "${berlin}", snap: "main-tool"`),
      await hold(otto, `fleetId: "${paris}", ${snap}`),
      await hold(otto, `deviceUid: "${there}", ${snap}`),
      await hold(otto, snap),
    ]).toEqual(['Hold', 'Hold', ...Array<string>(5).fill('Forbidden')]);
    expect(await hold(store.planner, `fleetId: "${paris}"`)).toBe('Hold');
    const seen = await otto.ask<{
      fleets: { name: string }[];
      snaps: List<{ name: string }>;
      devices: List<{ uid: string }>;
      holds: List<{ id: string; fleetId: string | null }>;
    }>(
      `fleets(brand: "${store.brand}") { name } snaps(brand: "${store.brand}") { edges { node { name } } }
       devices(brand: "${store.brand}") { edges { node { uid } } } holds(brand: "${store.brand}", first: 2) { edges { node { id fleetId } } }`,
    );
    expect(seen.fleets).toEqual([{ name: 'berlin' }]);
    expect(seen.snaps.edges).toEqual([{ node: { name: 'acme-dashboard' } }]);
    expect(seen.devices.edges.map(({ node }) => node.uid)).toEqual([here]);
    expect(seen.holds.edges.map(({ node }) => node.fleetId)).toEqual([berlin, null]);
    const { holds } = await store.planner.ask<{
      holds: List<{ id: string; fleetId: string | null }>;
    }>(`holds(brand: "${store.brand}") { edges { node { id fleetId } } }`);
    const parisian = holds.edges.find(({ node }) => node.fleetId === paris)?.node.id ?? '';
    const lift = (id: string): Promise<string> =>
      kind(otto.act(`liftHold(brand: "${store.brand}", id: "${id}", reason: "over")`));
    expect([await lift(parisian), await lift(seen.holds.edges[0]?.node.id ?? '')]).toEqual([
      'Forbidden',
      'Hold',
    ]);
  });

  it('a token is its owner’s grants within its own, from its networks, and ends with them', async () => {
    const owner = await store.addPerson('toni@acme.example', ['admin', 'operator']);
    const create = (more: string): Promise<Result> =>
      owner.act(
        `createApiToken(brand: "${store.brand}", input: {description: "ci", roles: [operator], ${more}})`,
        '... on ApiToken { id prefix secret lastUsedAt }',
      );
    const machine = (made: Result): Person =>
      new Person(store.anonymous.as(String(made.secret)), '', '', '', '');
    const made = await create('expiresInDays: 1, fleets: ["berlin"]');
    expect(String(made.secret)).toMatch(new RegExp(`^${String(made.prefix)}_`));
    const ci = machine(made);
    expect(await hold(ci, `fleetId: "${berlin}"`)).toBe('Hold');
    expect(await hold(ci, `fleetId: "${paris}"`)).toBe('Forbidden');
    const { apiTokens } = await owner.ask<{
      apiTokens: { id: string; ownerEmail: string; lastUsedAt: string | null }[];
    }>(`apiTokens(brand: "${store.brand}") { id ownerEmail lastUsedAt }`);
    const shown = apiTokens.find(({ id }) => id === made.id);
    expect(shown).toMatchObject({ ownerEmail: owner.email });
    expect(shown?.lastUsedAt).not.toBeNull();
    const { rows } = await store.owner.query<{ person_id: string }>(
      `SELECT person_id FROM store.holds WHERE fleet_id = $1 ORDER BY created_at DESC LIMIT 1`,
      [berlin],
    );
    expect(rows[0]?.person_id).toBe(owner.personId);

    const elsewhere = machine(await create('expiresInDays: 1, networks: ["192.0.2.0/24"]'));
    await expect(elsewhere.ask('me { email }')).rejects.toMatchObject({ code: 'unauthorized' });
    const local = machine(await create('expiresInDays: 1, networks: ["127.0.0.0/8", "::1"]'));
    expect(await local.ask('me { isToken }')).toEqual({ me: { isToken: true } });
    const wrong = await create('expiresInDays: 0, networks: ["x"], snaps: ["nobodys"]');
    expect(wrong.problems?.map(({ path }) => path)).toEqual([
      'expiresInDays',
      'networks[0]',
      'snaps',
    ]);
    await setRoles(owner, [{ role: 'admin' }]);
    expect(await hold(ci, `fleetId: "${berlin}"`)).toBe('Forbidden');
    await setRoles(owner, []);
    await expect(ci.ask('me { email }')).rejects.toMatchObject({ code: 'unauthorized' });
  });

  it('logins are listed and ended; recovery codes are good once; an admin resets; guessing is throttled', async () => {
    const nina = await person('nina', [{ role: 'viewer' }]);
    const other = await store.login(nina.email, PASSWORD);
    const { sessions } = await nina.ask<{
      sessions: { id: string; isThis: boolean; address: string | null }[];
    }>('sessions { id isThis address }');
    expect(sessions.map(({ isThis }) => isThis)).toEqual([false, true]);
    expect(sessions[0]?.address).toContain('127.0.0.1');
    expect(await kind(nina.act(`endSession(id: "${sessions[0]?.id}")`))).toBe('Done');
    await expect(other.ask('me { email }')).rejects.toMatchObject({ code: 'unauthorized' });

    const { begin } = await nina.graphql.run<{ begin: { secret: string } }>(
      'mutation { begin: beginSecondFactor { ... on SecondFactor { secret } } }',
    );
    const confirmed = await nina.act(
      `confirmSecondFactor(secret: "${begin.secret}", password: "${PASSWORD}", otp: "${totpCode(begin.secret, new Date())}")`,
      '... on RecoveryCodes { codes }',
    );
    const [code = ''] = confirmed.codes as string[];
    const login = async (password: string, otp?: string): Promise<string> => {
      const said = otp === undefined ? '' : `, otp: "${otp}"`;
      const { result } = await store.anonymous.run<{ result: { __typename: string } }>(
        `mutation { result: login(email: "${nina.email}", password: "${password}"${said}) { __typename } }`,
      );
      return result.__typename;
    };
    expect([await login(PASSWORD, code), await login(PASSWORD, code)]).toEqual([
      'Session',
      'Forbidden',
    ]);
    const reset = await store.planner.act(
      `resetLogin(brand: "${store.brand}", personId: "${nina.personId}", reason: "lost the phone")`,
      '... on Member { invitation hasSecondFactor hasPassword }',
    );
    expect(reset).toMatchObject({ hasSecondFactor: false, hasPassword: false });
    await expect(nina.ask('me { email }')).rejects.toMatchObject({ code: 'unauthorized' });
    expect(await login(PASSWORD)).toBe('Forbidden');
    expect(await accept(reset.invitation)).toMatchObject({ __typename: 'Session' });
    expect(await login(PASSWORD)).toBe('Session');
    const ended = await store.planner.act(
      `endSessionsOf(brand: "${store.brand}", personId: "${nina.personId}", reason: "a test")`,
    );
    expect(ended.__typename).toBe('Member');
    for (let tries = 0; tries < 10; tries += 1) expect(await login('wrong')).toBe('Forbidden');
    await expect(login(PASSWORD)).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('brandstore does it from a terminal: brands, people, tokens', async () => {
    const url = { BRANDSTORE_URL: store.installation.storeUrl, BRANDSTORE_BRAND: 'cyber' };
    const operator = new CliUser({ ...url, BRANDSTORE_TOKEN: store.operator.token });
    const run = async (args: readonly string[], as = operator) => {
      const ran = await as.run(args);
      expect(ran).toMatchObject({ status: 0, err: '' });
      return ran;
    };
    const create = ['brand', 'create', 'cyber', '--display-name', 'Cyber', '--json'];
    expect((await run(create)).json()).toMatchObject({ username: 'cyber', revision: 0 });
    const update = ['brand', 'update', '--validation', 'verified', '--json'];
    expect((await run(update)).json()).toMatchObject({ validation: 'verified', revision: 1 });
    expect((await run(['brand', 'show'])).out).toMatch(/validation +verified/);
    const twice = await operator.run(create);
    expect(twice).toMatchObject({ status: 1, out: '' });
    expect(twice.err).toContain('the name is taken');

    const invited = await run([
      ...['people', 'invite', 'cleo@cyber.example', '--role', 'admin', '--role', 'operator'],
      '--json',
    ]);
    const { token } = await accept(
      new URL(invited.json<{ invitationLink: string }>().invitationLink).hash.slice(1),
    );
    const cleo = new CliUser({ ...url, BRANDSTORE_TOKEN: String(token) });
    await run(['people', 'invite', 'dan@cyber.example', '--role', 'viewer:store=main'], cleo);
    expect((await run(['people', 'list'], cleo)).out).toMatch(/dan@cyber.*viewer:store=/);
    await run(['people', 'roles', 'dan@cyber.example', '--role', 'reviewer'], cleo);
    expect((await run(['people', 'list'], cleo)).out).toMatch(/dan@cyber.*reviewer /);
    await run(['people', 'remove', 'dan@cyber.example', '--reason', 'left'], cleo);
    expect((await run(['people', 'list'], cleo)).out).not.toContain('dan@cyber');

    const made = await run(
      ['token', 'create', 'ci', '--role', 'operator', '--days', '30', '--json'],
      cleo,
    );
    const { id, secret } = made.json<{ id: string; secret: string }>();
    const list = (await run(['token', 'list'], cleo)).out;
    expect(list).toContain(id);
    expect(list).not.toContain(secret);
    await run(['token', 'revoke', id], cleo);
    expect((await run(['token', 'list'], cleo)).out).not.toContain(id);
  });

  describe('the audit log', () => {
    const verify = async (): Promise<unknown> =>
      (
        await store.planner.ask<{ verifyAuditLog: unknown }>(
          `verifyAuditLog(brand: "${store.brand}") { isIntact brokenSeq }`,
        )
      ).verifyAuditLog;
    const overdue = (): Promise<unknown> =>
      store.owner.query(
        `INSERT INTO store.audit_checks (brand_id, seq, hash, checked_at) VALUES ($1, 0, '', now() - interval '2 days')
         ON CONFLICT (brand_id) DO UPDATE SET checked_at = excluded.checked_at`,
        [store.brand],
      );
    /** The row of the daily check, once the worker has looked again. */
    const checked = async (): Promise<{ seq: string; broken_seq: string | null }> => {
      await overdue();
      for (const end = Date.now() + 120_000; ; await sleep(200)) {
        const { rows } = await store.owner.query<{ seq: string; broken_seq: string | null }>(
          `SELECT seq, broken_seq FROM store.audit_checks WHERE brand_id = $1 AND checked_at > now() - interval '1 day'`,
          [store.brand],
        );
        if (rows[0]) return rows[0];
        if (Date.now() > end) throw new Error('cannot wait any longer for the daily check');
      }
    };
    const exported = async (query: string, bearer = store.planner.token) =>
      ask(`${store.installation.storeUrl}/api/v1/brands/${store.brand}/audit-log?${query}`, {
        headers: { authorization: `Bearer ${bearer}` },
      });

    it('says who changed what from what to what and why, by filters', async () => {
      const find = async (filter: object): Promise<Record<string, unknown>[]> => {
        const { auditLog } = await store.planner.ask<{
          auditLog: { edges: { node: Record<string, unknown> }[] };
        }>(
          `auditLog(brand: "${store.brand}", filter: ${literal(filter)}) { edges { node { action actorEmail subject reason detail at } } }`,
        );
        return auditLog.edges.map(({ node }) => node);
      };
      await store.operator.act(
        `updateBrand(brand: "${store.brand}", displayName: "ACME Ltd", reason: "new name")`,
      );
      expect(await find({ action: 'update-brand' })).toMatchObject([
        {
          reason: 'new name',
          detail: { before: { displayName: 'acme' }, after: { displayName: 'ACME Ltd' } },
        },
      ]);
      const mine = await find({ actor: store.planner.email, subject: 'person' });
      expect(mine.length).toBeGreaterThan(5);
      expect(new Set(mine.map(({ actorEmail }) => actorEmail))).toEqual(
        new Set([store.planner.email]),
      );
      expect(await find({ from: '2999-01-01T00:00:00Z' })).toEqual([]);
      expect(await find({ until: '2000-01-01T00:00:00Z' })).toEqual([]);
    });

    it('is exported as a stream to those who may read it, by REST and by brandstore', async () => {
      const lines = (await exported('')).text.trim().split('\n');
      const rows = lines.map((line) => JSON.parse(line) as { seq: number; action: string });
      expect(rows.map(({ seq }) => seq)).toEqual(rows.map((_, index) => index + 1));
      const csv = await exported('format=csv&action=update-brand');
      expect(csv.text.split('\r\n')[0]).toContain('seq,at,actor,action');
      expect(csv.text).toContain('new name');
      const [viewer] = [await store.addPerson('viktor@acme.example', ['viewer'])];
      expect((await exported('', viewer.token)).status).toBe(403);
      expect((await exported('', 'bss_nobody')).status).toBe(401);
      expect((await exported('from=yesterday')).status).toBe(400);
      const cli = new CliUser({
        BRANDSTORE_URL: store.installation.storeUrl,
        BRANDSTORE_TOKEN: store.planner.token,
      });
      const ran = await cli.run(['audit', 'export', '--action', 'update-brand']);
      expect(ran).toMatchObject({ status: 0, err: '' });
      expect(ran.out.trim().split('\n')).toHaveLength(1);
      expect((await cli.run(['audit', 'verify', '--json'])).json()).toMatchObject({
        isIntact: true,
      });
    });

    it('U100 a row that the owner of the database changed or took away is found, by the daily check too', async () => {
      expect(await verify()).toEqual({ isIntact: true, brokenSeq: null });
      const whole = await checked();
      expect(whole.broken_seq).toBeNull();
      const last = Number(whole.seq);
      const { rows } = await store.owner.query<Record<string, unknown>>(
        'SELECT * FROM store.audit_log WHERE brand_id = $1 AND seq = $2',
        [store.brand, last],
      );
      await store.owner.query('DELETE FROM store.audit_log WHERE brand_id = $1 AND seq = $2', [
        store.brand,
        last,
      ]);
      // The end of the chain fits in itself: only what the check remembered shows the gap.
      expect(await verify()).toEqual({ isIntact: false, brokenSeq: last });
      const row = rows[0] ?? {};
      await store.owner.query(
        `INSERT INTO store.audit_log (${Object.keys(row).join(', ')}) VALUES (${Object.keys(row)
          .map((_, index) => `$${index + 1}`)
          .join(', ')})`,
        Object.values(row),
      );
      expect(await verify()).toEqual({ isIntact: true, brokenSeq: null });
      const gap = `UPDATE store.audit_log SET brand_id = $2 WHERE brand_id = $1 AND seq = 4`;
      await store.owner.query(gap, [store.brand, 'nobody']);
      expect(await verify()).toEqual({ isIntact: false, brokenSeq: 4 });
      await store.owner.query(gap, ['nobody', store.brand]);
      expect(await verify()).toEqual({ isIntact: true, brokenSeq: null });
      await store.owner.query(
        `UPDATE store.audit_log SET reason = 'forged' WHERE brand_id = $1 AND seq = 3`,
        [store.brand],
      );
      expect(await verify()).toEqual({ isIntact: false, brokenSeq: 3 });
      expect((await checked()).broken_seq).toBe('3');
      const { events } = await store.planner.ask<{
        events: { edges: { node: { kind: string } }[] };
      }>(`events(brand: "${store.brand}", first: 500) { edges { node { kind } } }`);
      expect(events.edges.filter(({ node }) => node.kind === 'audit-broken')).toHaveLength(1);
    });
  });
});
