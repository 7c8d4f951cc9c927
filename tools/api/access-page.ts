import { ROLES } from '#libs/auth';
import { VAULT_ROLES } from '#libs/database';
import { ROUTES } from '../../apps/store-api/src/access/routes.js';
import { PERMISSIONS, type Permission } from '../../apps/store-api/src/admin/permissions.js';
import {
  humanPart,
  PERMISSIONS as VAULT_PERMISSIONS,
  type Permission as VaultPermission,
} from '../../apps/serial-vault/src/graphql/permissions.js';
import { ROUTES as VAULT_ROUTES } from '../../apps/serial-vault/src/http/routes.js';

const HEAD = `# Who may do what

Written by \`npm run api:write\` from the tables that the processes go by; a test compares, and \`test/access\` asks every line of the running
processes. A route or field without a line cannot be served. A role counts in its own brand only; to another brand's person, and to one
without the role, a field answers the same whether or not there is such a thing.
`;

const WORDS = `
- **anyone**: without login. **person**: whoever is logged in, machines too. **human**: a person for their own login, never a machine.
  **operator**: who runs the installation. **token**: a machine's, with the roles of its owner within its own.
- **publisher**: with macaroons, within their account. **device**: what its session shows; without one, what is public.
- **papers**, **signature**, **link**: no login, the request proves itself. **vault**: handed on to the vault, which decides.
- **graphql**: each field for itself. **nobody**: there is nothing. **member**: any role of the vault.
`;

/** `docs/access.md`: every route and every field, and who may. */
export function accessPage(): string {
  return [
    HEAD,
    WORDS,
    '\n## Routes of the store\n\n| route | who |\n|---|---|\n',
    ...routeRows(ROUTES),
    '\n## GraphQL of the store\n\n',
    `| field | ${ROLES.join(' | ')} | operator | token | reaches |\n`,
    `|---|${'---|'.repeat(ROLES.length + 3)}\n`,
    ...Object.entries(PERMISSIONS).map(([field, permission]) => fieldRow(field, permission)),
    '\n## Routes of the vault\n\n| route | who |\n|---|---|\n',
    ...routeRows(VAULT_ROUTES),
    '\n## GraphQL of the vault\n\n',
    `| field | ${VAULT_ROLES.join(' | ')} | token |  |\n`,
    `|---|${'---|'.repeat(VAULT_ROLES.length + 2)}\n`,
    ...Object.entries(VAULT_PERMISSIONS).map(vaultRow),
  ].join('');
}

const routeRows = (
  rules: Readonly<Record<string, string | { readonly field: string }>>,
): string[] =>
  Object.entries(rules).map(
    ([route, rule]) =>
      `| \`${route}\` | ${typeof rule === 'string' ? rule : `as ${rule.field}`} |\n`,
  );

function fieldRow(field: string, permission: Permission): string {
  const all = (may: boolean): string[] => ROLES.map(() => mark(may));
  if (typeof permission === 'string') {
    const isAll = permission !== 'operator';
    const mayToken = isAll && permission !== 'human';
    return row([field, ...all(isAll), mark(true), mark(mayToken), isAll ? permission : '']);
  }
  const { roles, operator, human, reach = 'brand' } = permission;
  const may = ROLES.map((role) => mark(roles === 'member' || roles.includes(role)));
  const far = typeof reach === 'string' ? reach : 'what it names';
  return row([field, ...may, mark(operator === true), mark(human !== true), far]);
}

function vaultRow([field, permission]: [string, VaultPermission]): string {
  if (typeof permission === 'string') {
    const all = VAULT_ROLES.map(() => mark(true));
    return row([field, ...all, mark(permission !== 'human'), permission]);
  }
  const { roles, byPeople } = humanPart(permission);
  const token = byPeople === 'invites' ? 'of the installation' : mark(byPeople === undefined);
  return row([field, ...VAULT_ROLES.map((role) => mark(roles.includes(role))), token, '']);
}

const mark = (may: boolean): string => (may ? 'yes' : '–');
const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;
