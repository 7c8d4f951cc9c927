import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { decodeAssertion, decodeAssertions, type Assertion } from '#libs/assertions';
import { ask } from '../../tools/clients/http.js';
import { CliUser } from '../cli/support/run-cli.js';
import { AdminStore, REFUSALS, type Person, type Result } from './support/admin-store.js';

const VIEW = '... on SnapDeclaration { revision format headers assertion changes }';
const ACCEPT = { accept: 'application/x.ubuntu.assertion' };

interface Declared extends Result {
  readonly revision: number;
  readonly format: number;
  readonly headers: Record<string, unknown>;
  readonly assertion: string | null;
  readonly changes: readonly string[];
}

let store: AdminStore;
let reviewer: Person;
let snapId: string;

const TYPES: Readonly<Record<string, string>> = {
  input: 'DeclarationInput!',
  reason: 'String!',
  expectedRevision: 'Int',
  idempotencyKey: 'String',
};

/** One field with its arguments as variables: the names of interface rules are no names of GraphQL. */
async function run(
  who: Person,
  operation: 'mutation' | 'query',
  variables: Record<string, unknown>,
): Promise<Declared> {
  const names = Object.keys(variables);
  const declared = names.map((name) => `$${name}: ${TYPES[name] ?? ''}`).join(', ');
  const given = names.map((name) => `${name}: $${name}`).join(', ');
  const field = operation === 'query' ? 'previewSnapDeclaration' : 'editSnapDeclaration';
  const { result } = await who.graphql.run<{ result: Declared }>(
    `${operation} (${declared}) { result: ${field}(brand: "${store.brand}", snap: "acme-dashboard", ${given}) {
      __typename ${VIEW} ${REFUSALS} } }`,
    variables,
  );
  return result;
}
const edit = (
  input: unknown,
  who = reviewer,
  more: Record<string, unknown> = {},
): Promise<Declared> => run(who, 'mutation', { input, reason: 'the kiosk needs it', ...more });
const bytesOf = async (url: string): Promise<Buffer> =>
  Buffer.from((await ask(url, { headers: ACCEPT })).text);
const declaration = async (maxFormat = 7): Promise<Assertion> => {
  const url = `${store.installation.storeUrl}/v2/assertions/snap-declaration/16/${snapId}?max-format=${maxFormat}`;
  return decodeAssertion(await bytesOf(url));
};

beforeAll(async () => {
  store = await AdminStore.start();
  reviewer = await store.addPerson('rita@acme.example', ['reviewer']);
  await store.publish('acme-dashboard', 1);
  snapId = await store.snapId('acme-dashboard');
});
afterAll(() => store.stop());

/** What snapd sends for a declaration that it has in `revision`. */
async function newerThan(revision: number): Promise<string[]> {
  const answer = await ask(`${store.installation.storeUrl}/v2/snaps/refresh`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      context: [],
      actions: [
        {
          action: 'fetch-assertions',
          key: 'group',
          assertions: [
            { type: 'snap-declaration', 'primary-key': ['16', snapId], 'if-newer-than': revision },
          ],
        },
      ],
      fields: [],
      'assertion-max-formats': { 'snap-declaration': 7 },
    }),
  });
  const { results } = answer.json<{ results: { 'assertion-stream-urls': string[] }[] }>();
  return results[0]?.['assertion-stream-urls'] ?? [];
}

describe('snap-declarations', () => {
  it('S7 are edited by the reviewer role, and devices get the new revision at the next refresh', async () => {
    expect(await newerThan(0)).toEqual([]);
    const input = {
      plugs: { camera: { 'allow-auto-connection': true } },
      slots: { dbus: { 'allow-connection': true } },
      aliases: [{ name: 'dash', target: 'acme-dashboard' }],
      revisionAuthority: [{ 'account-id': store.brand, provenance: ['factory'] }],
    };
    const made = await edit(input);
    expect(made).toMatchObject({
      __typename: 'SnapDeclaration',
      revision: 1,
      format: 1,
      changes: [
        'Plugs of "camera": connecting automatically is now allowed; before, as the base declaration says.',
        'Slots of "dbus": connecting by hand is now allowed; before, as the base declaration says.',
        'The alias "dash" now runs the app "acme-dashboard".',
        `Now account ${store.brand} may sign revisions with provenance factory.`,
        'It needs format 1: devices whose snapd reads only lower formats keep revision 0.',
      ],
    });

    const [url = ''] = await newerThan(0);
    const stream = decodeAssertions(await bytesOf(url));
    const served = stream.find(({ type }) => type === 'snap-declaration');
    expect(served?.bytes.toString()).toBe(made.assertion);
    expect(served?.headers).toMatchObject({
      'snap-name': 'acme-dashboard',
      'publisher-id': store.brand,
      plugs: { camera: { 'allow-auto-connection': 'true' } },
      slots: { dbus: { 'allow-connection': 'true' } },
      aliases: [{ name: 'dash', target: 'acme-dashboard' }],
      'revision-authority': [{ 'account-id': store.brand, provenance: ['factory'] }],
    });
    expect(await newerThan(1)).toEqual([]);
    // A device that reads format 0 only keeps what it can read.
    expect((await declaration(0)).revision).toBe(0);

    const { auditLog } = await store.planner.ask<{
      auditLog: { edges: { node: Record<string, unknown> }[] };
    }>(
      `auditLog(brand: "${store.brand}", first: 1) { edges { node { actor action subject reason detail } } }`,
    );
    expect(auditLog.edges[0]?.node).toMatchObject({
      actor: `person:${reviewer.personId}`,
      action: 'edit-declaration',
      subject: 'snap-declaration:acme-dashboard',
      reason: 'the kiosk needs it',
      detail: {
        revision: 1,
        before: { plugs: '' },
        after: { plugs: { camera: {} } },
        changes: made.changes,
      },
    });
  });

  it('S7 nobody else edits them, and nothing is signed without a reason or a change', async () => {
    const input = { autoAliases: ['dash2'] };
    expect(await edit(input, store.planner)).toMatchObject({ __typename: 'Forbidden' });
    expect(await edit(input, reviewer, { reason: ' ' })).toMatchObject({ __typename: 'Invalid' });
    expect(await edit({ aliases: [{ name: 'dash', target: 'acme-dashboard' }] })).toMatchObject({
      __typename: 'Invalid',
      message: 'cannot make a revision that changes nothing',
    });
    expect((await declaration()).revision).toBe(1);
  });

  it('takes what is not named as it is, null away, and the lowest format that can say the rest', async () => {
    const scoped = {
      plugs: { camera: { 'allow-auto-connection': { 'on-store': ['acme-kiosk'] } } },
    };
    expect(await edit(scoped)).toMatchObject({ revision: 2, format: 3 });
    expect((await declaration()).headers['aliases']).toBeDefined();
    expect(await edit({ plugs: null, slots: null, aliases: null })).toMatchObject({
      revision: 3,
      format: 0,
      changes: [
        'Plugs of "camera": connecting automatically is now as the base declaration says; before, allowed if on store is acme-kiosk.',
        'Slots of "dbus": connecting by hand is now as the base declaration says; before, allowed.',
        'The alias "dash" is gone.',
      ],
    });
    const { headers } = await declaration(0);
    expect([headers['plugs'], headers['aliases']]).toEqual([undefined, undefined]);
    expect(headers['revision-authority']).toBeDefined();
  });

  it.each([
    [
      'an unknown shape of a rule',
      { plugs: { camera: { 'allow-auto-connection': [], 'allow-typo': true } } },
      /camera/,
    ],
    ['a bad alias', { aliases: [{ name: '-x', target: 'acme-dashboard' }] }, /alias|name/],
    ['a bad gated snap list', { refreshControl: null, slots: 7 }, /slots/],
    [
      'an authority without provenance',
      { revisionAuthority: [{ 'account-id': 'abc' }] },
      /account-id|provenance/,
    ],
  ])('refuses %s with the rule that it breaks', async (_, input, words) => {
    const before = (await declaration()).revision;
    const answer = await edit(input);
    expect(answer.__typename).toBe('Invalid');
    expect(answer.message).toMatch(words);
    expect((await declaration()).revision).toBe(before);
  });

  it('shows an edit in words before it is made, and signs nothing', async () => {
    const { revision } = await declaration();
    expect(await run(reviewer, 'query', { input: { autoAliases: ['dash2'] } })).toMatchObject({
      revision: revision + 1,
      assertion: null,
      changes: ['The alias "dash2" is now set up by itself.'],
    });
    expect((await declaration()).revision).toBe(revision);
  });

  it('two edits at once: one is made, the other is told the revision; the same key is one edit', async () => {
    const { revision } = await declaration();
    const answers = await Promise.all(
      ['one', 'two'].map((alias) =>
        edit({ autoAliases: [alias] }, reviewer, { expectedRevision: revision }),
      ),
    );
    expect(answers.map(({ __typename }) => __typename).sort()).toEqual([
      'Conflict',
      'SnapDeclaration',
    ]);
    expect(answers.find(({ __typename }) => __typename === 'Conflict')?.current).toEqual({
      revision: revision + 1,
    });
    const again = [1, 2].map(() => edit({ autoAliases: null }, reviewer, { idempotencyKey: 'k1' }));
    const revisions = (await Promise.all(again)).map((one) => one.revision);
    expect(revisions).toEqual([revision + 2, revision + 2]);
  });

  it('is shown, compared and edited with `brandstore declaration` and a file', async () => {
    const rita = new CliUser();
    const login = [
      'login',
      '--url',
      store.installation.storeUrl,
      '--email',
      reviewer.email,
      '--password-stdin',
    ];
    expect((await rita.run(login, reviewer.password)).status).toBe(0);
    const path = join(inject('stackDir'), `declaration-${Date.now()}.yaml`);
    writeFileSync(path, 'plugs:\n  camera:\n    allow-auto-connection: true\nauto-aliases: null\n');
    const sentence =
      'Plugs of "camera": connecting automatically is now allowed; before, as the base declaration says.';
    const { revision } = await declaration();
    const diff = await rita.run(['declaration', 'diff', 'acme-dashboard', path]);
    expect(diff.status).toBe(0);
    expect(diff.out).toContain(sentence);
    const edited = await rita.run([
      'declaration',
      'edit',
      'acme-dashboard',
      path,
      '--reason',
      'kiosk',
      '--json',
    ]);
    expect(edited.json<Declared>()).toMatchObject({ revision: revision + 1 });
    const shown = await rita.run(['declaration', 'show', 'acme-dashboard']);
    expect(shown.out.trimEnd()).toBe((await declaration()).bytes.toString().trimEnd());
    writeFileSync(path, 'plug:\n  camera: true\n');
    const typo = await rita.run([
      'declaration',
      'edit',
      'acme-dashboard',
      path,
      '--reason',
      'kiosk',
    ]);
    expect(typo).toMatchObject({ status: 2, err: expect.stringContaining('"plug"') as string });
    expect((await declaration()).revision).toBe(revision + 1);
  });
});
