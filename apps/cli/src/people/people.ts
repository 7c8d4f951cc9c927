import { Command } from 'commander';
import type { Io } from '../io.js';
import { facts, print, table } from '../output.js';
import { connectToBrand, type BrandOptions } from '../session/connect.js';
import { brandCommand } from '../store-command.js';
import { graphql, REFUSALS } from '../store/graphql.js';
import type { StoreClient } from '../store/store-client.js';
import { Failure } from '../usage.js';
import { collectRoles, roleText, rolesHelp, type RoleOrder } from './roles.js';

const MEMBER = `personId email displayName hasPassword hasSecondFactor invitedUntil grants { role stores fleets snaps }`;
const LIST = graphql`query ($brand: ID!) { people(brand: $brand) { ${MEMBER} } }`;
const INVITE = graphql`
  mutation ($brand: ID!, $email: String!, $name: String!, $grants: [GrantInput!]) {
    invitePerson(brand: $brand, email: $email, displayName: $name, grants: $grants) {
      __typename ... on Member { ${MEMBER} invitationLink } ${REFUSALS}
    }
  }`;
const ROLES = graphql`
  mutation ($brand: ID!, $person: ID!, $grants: [GrantInput!], $reason: String) {
    setRoles(brand: $brand, personId: $person, grants: $grants, reason: $reason) {
      __typename ... on Member { ${MEMBER} } ${REFUSALS}
    }
  }`;
const REMOVE = graphql`
  mutation ($brand: ID!, $person: ID!, $reason: String!) {
    removePerson(brand: $brand, personId: $person, reason: $reason) {
      __typename ... on Member { ${MEMBER} } ${REFUSALS}
    }
  }`;
const RESEND = graphql`
  mutation ($brand: ID!, $person: ID!) {
    resendInvitation(brand: $brand, personId: $person) {
      __typename ... on Member { ${MEMBER} invitationLink } ${REFUSALS}
    }
  }`;
const RESET = graphql`
  mutation ($brand: ID!, $person: ID!, $reason: String!) {
    resetLogin(brand: $brand, personId: $person, reason: $reason) {
      __typename ... on Member { ${MEMBER} invitationLink } ${REFUSALS}
    }
  }`;

interface Member {
  readonly personId: string;
  readonly email: string;
  readonly displayName: string;
  readonly hasPassword: boolean;
  readonly hasSecondFactor: boolean;
  readonly invitedUntil: string | null;
  readonly invitationLink?: string | null;
  readonly grants: readonly {
    readonly role: string;
    readonly stores: readonly string[] | null;
    readonly fleets: readonly string[] | null;
    readonly snaps: readonly string[] | null;
  }[];
}

interface Options extends BrandOptions {
  readonly name?: string;
  readonly role?: readonly RoleOrder[];
  readonly reason?: string;
}

/** `brandstore people …`: who belongs to a brand and may do what. */
export function peopleCommand(io: Io): Command {
  const command = new Command('people')
    .description('who belongs to the brand, and with which roles')
    .addHelpText('after', rolesHelp);
  command.addCommand(brandCommand('list').action((options: Options) => list(io, options)));
  command.addCommand(
    brandCommand('invite')
      .description('answers the link with which a new person chooses a password')
      .argument('<email>')
      .requiredOption('--role <role>', 'may be given several times', collectRoles)
      .option('--name <name>', 'how the person is called')
      .action((email: string, options: Options) => invite(io, email, options)),
  );
  command.addCommand(
    brandCommand('roles')
      .description('replaces all that the person may do; in force at once')
      .argument('<email>')
      .requiredOption('--role <role>', 'may be given several times', collectRoles)
      .option('--reason <text>', 'for the audit log')
      .action((email: string, options: Options) =>
        act(io, email, options, ROLES, { grants: options.role }),
      ),
  );
  command.addCommand(
    brandCommand('remove')
      .description('the person leaves the brand; their tokens end')
      .argument('<email>')
      .requiredOption('--reason <text>', 'for the audit log')
      .action((email: string, options: Options) => act(io, email, options, REMOVE)),
  );
  command.addCommand(
    brandCommand('resend')
      .description('a new link for somebody who has not used theirs')
      .argument('<email>')
      .action((email: string, options: Options) => act(io, email, options, RESEND)),
  );
  command.addCommand(
    brandCommand('reset')
      .description('ends password, second factor and logins, and answers a link')
      .argument('<email>')
      .requiredOption('--reason <text>', 'for the audit log')
      .action((email: string, options: Options) => act(io, email, options, RESET)),
  );
  return command;
}

async function list(io: Io, options: Options): Promise<void> {
  const { store, brandId } = await connectToBrand(io, options);
  const people = await members(store, brandId);
  const rows = people.map((one) => [
    one.email,
    one.displayName,
    one.grants.map(roleText).join('\n'),
    one.hasPassword
      ? 'yes'
      : one.invitedUntil === null
        ? 'no'
        : `invited until ${one.invitedUntil}`,
    one.hasSecondFactor,
  ]);
  print(io, options, people, table(['mail address', 'name', 'roles', 'login', '2nd factor'], rows));
}

async function invite(io: Io, email: string, options: Options): Promise<void> {
  const { store, brandId } = await connectToBrand(io, options);
  const name = options.name ?? email.replace(/@.*/, '');
  const variables = { brand: brandId, email, name, grants: options.role };
  show(io, options, await store.act<Member>(INVITE, variables));
}

/** Something done with a member, named by mail address. */
async function act(
  io: Io,
  email: string,
  options: Options,
  document: string,
  more: object = {},
): Promise<void> {
  const { store, brandId } = await connectToBrand(io, options);
  const person = (await members(store, brandId)).find(
    (one) => one.email === email.trim().toLowerCase(),
  );
  if (person === undefined) throw new Failure(`cannot find ${email} in this brand`);
  const { reason } = options;
  const variables = { brand: brandId, person: person.personId, reason, ...more };
  show(io, options, await store.act<Member>(document, variables));
}

const members = async (store: StoreClient, brand: string): Promise<readonly Member[]> =>
  (await store.query<{ people: readonly Member[] }>(LIST, { brand })).people;

function show(io: Io, options: Options, member: Member): void {
  const { email, grants, invitationLink } = member;
  const roles = grants.map(roleText).join(', ') || 'none';
  const link = invitationLink ? { 'hand over this link': invitationLink } : {};
  print(io, options, member, facts({ 'mail address': email, roles, ...link }));
}
