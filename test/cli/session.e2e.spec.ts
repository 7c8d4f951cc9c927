import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { totpCode } from '#libs/auth';
import { AdminStore, type Person } from '../admin/support/admin-store.js';
import { CliUser, hasTerminal } from './support/run-cli.js';

const fileOf = (user: CliUser): string => join(user.configDir, 'brandstore', 'sessions.json');

/** `brandstore login|whoami|logout` as people run it, on a real store. */
describe('brandstore sessions', () => {
  let store: AdminStore;
  let paula: Person;
  let url: string;

  beforeAll(async () => {
    store = await AdminStore.start();
    paula = store.planner;
    url = store.installation.storeUrl;
  });
  afterAll(() => store?.stop());

  const login = (user: CliUser, ...more: string[]) =>
    user.run(
      ['login', '--url', url, '--email', paula.email, '--password-stdin', ...more],
      paula.password,
    );

  it('keeps a session that only its owner can read, and says who it is', async () => {
    const user = new CliUser();
    const loggedIn = await login(user);
    expect(loggedIn).toMatchObject({ status: 0, err: '' });
    expect(loggedIn.out).toContain(`logged in to ${url} as ${paula.email}`);
    expect(statSync(fileOf(user)).mode & 0o777).toBe(0o600);
    const { token } = Object.values(
      (
        JSON.parse(readFileSync(fileOf(user), 'utf8')) as {
          sessions: Record<string, { token: string }>;
        }
      ).sessions,
    )[0] ?? { token: '' };
    expect(token.length).toBeGreaterThan(20);
    expect(loggedIn.out).not.toContain(token);
    const who = await user.run(['whoami', '--json']);
    expect(who.json()).toEqual({
      store: url,
      email: paula.email,
      name: paula.email,
      isOperator: false,
      isToken: false,
      memberships: [
        {
          brand: 'acme',
          brandId: store.brand,
          roles: ['admin', 'operator', 'publisher', 'releaser'],
        },
      ],
    });
    const shown = await user.run(['whoami']);
    expect(shown.out).toMatch(/acme.*admin, operator, publisher, releaser/);
  });

  it('ends the session at the store and forgets it', async () => {
    const user = new CliUser();
    await login(user);
    const kept = readFileSync(fileOf(user), 'utf8');
    expect(await user.run(['logout'])).toMatchObject({ status: 0, err: '' });
    expect(() => statSync(fileOf(user))).toThrow();
    expect(await user.run(['logout'])).toMatchObject({ status: 1 });
    const token = /"token": "([^"]+)"/.exec(kept)?.[1] ?? '';
    const late = await user.with({ BRANDSTORE_TOKEN: token, BRANDSTORE_URL: url }).run(['whoami']);
    expect(late).toMatchObject({ status: 1, out: '' });
    expect(late.err).toContain('without login');
  });

  it('takes a token from the environment, for the store that the environment names', async () => {
    const { secret } = (await paula.act(
      `createApiToken(brand: "${store.brand}", input: {description: "ci", roles: [releaser], expiresInDays: 1})`,
      '... on ApiToken { secret }',
    )) as unknown as { secret: string };
    const machine = new CliUser({ BRANDSTORE_TOKEN: secret, BRANDSTORE_URL: url });
    const who = await machine.run(['whoami', '--json']);
    expect(who.json()).toMatchObject({ isToken: true, memberships: [{ roles: ['releaser'] }] });
    expect(() => statSync(fileOf(machine))).toThrow();
  });

  it('tells wrong passwords and unreachable stores from wrong usage', async () => {
    const user = new CliUser();
    const wrong = await user.run(
      ['login', '--url', url, '--email', paula.email, '--password-stdin'],
      'not this',
    );
    expect(wrong).toMatchObject({ status: 1, out: '' });
    expect(wrong.err).toContain('wrong mail address or password');
    const nobody = await user.run(
      ['login', '--url', 'http://127.0.0.1:9', '--email', 'x@y.example', '--password-stdin'],
      'x',
    );
    expect(nobody).toMatchObject({ status: 1, out: '' });
    expect(nobody.err).toMatch(/^cannot reach http:\/\/127\.0\.0\.1:9: /);
    const page = await user.run(['whoami']);
    expect(page).toMatchObject({ status: 2, out: '' });
    const clear = await user.run([
      'login',
      '--url',
      'http://store.example',
      '--email',
      'x@y.example',
    ]);
    expect(clear).toMatchObject({ status: 2, out: '' });
    expect(clear.err).toContain('https only');
    const mute = await user.run(['login', '--url', url, '--email', paula.email]);
    expect(mute).toMatchObject({
      status: 2,
      err: expect.stringContaining('--password-stdin') as string,
    });
  });

  it.skipIf(!hasTerminal)(
    'asks at a terminal (needs script of util-linux): the password without echo, and the second factor where there is one',
    async () => {
      const greta = await store.addPerson('greta@acme.example', ['viewer']);
      const { beginSecondFactor } = await greta.graphql.run<{
        beginSecondFactor: { secret: string };
      }>('mutation { beginSecondFactor { ... on SecondFactor { secret } } }');
      const { secret } = beginSecondFactor;
      const code = (stepsAhead: number): string =>
        totpCode(secret, new Date(Date.now() + stepsAhead * 30_000));
      await greta.act(
        `confirmSecondFactor(secret: "${secret}", password: "${greta.password}", otp: "${code(0)}")`,
      );
      const user = new CliUser({ BRANDSTORE_URL: url });
      const ran = await user.runInTerminal(
        ['login'],
        [
          ['Mail address', greta.email],
          ['Password', greta.password],
          ['Code of the second factor', code(1)],
        ],
      );
      expect(ran.out).toContain(`logged in to ${url} as ${greta.email}`);
      expect(ran.status).toBe(0);
      expect(ran.out).not.toContain(greta.password);
      expect((await user.run(['whoami', '--json'])).json()).toMatchObject({ email: greta.email });
    },
  );
});
