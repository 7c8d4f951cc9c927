import {
  getNamedType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  isRequiredArgument,
  isUnionType,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLInputType,
  type GraphQLOutputType,
} from 'graphql';
import { PERMISSIONS as VAULT_PERMISSIONS } from '../../apps/serial-vault/src/graphql/permissions.js';
import { PERMISSIONS } from '../../apps/store-api/src/admin/permissions.js';
import { dummyOf, schemaOf } from './dummies.js';
import { get, json, type Kind, type Surface, type Template, type Things } from './request.js';

type Field = GraphQLField<unknown, unknown>;
type Member = GraphQLArgument | GraphQLInputField;
/** Where in the arguments something is named. */
type Path = readonly string[];

/** Names of arguments and input fields → what they name. */
const NAMED: Readonly<Record<string, Kind>> = {
  snap: 'snap',
  snaps: 'snap',
  snapId: 'snapId',
  uid: 'device',
  device: 'device',
  devices: 'device',
  deviceUid: 'device',
  deviceKeyId: 'deviceKey',
  fleet: 'fleet',
  fleetId: 'fleet',
  fleets: 'fleet',
  store: 'store',
  stores: 'store',
  from: 'store',
  personId: 'person',
  memberId: 'vaultMember',
  model: 'model',
  fromModel: 'model',
  toModel: 'model',
  confirmModels: 'model',
  serial: 'serial',
  signKeyId: 'keyId',
  rolloutId: 'rollout',
  supersedes: 'rollout',
  inheritSaltFrom: 'rollout',
  webhook: 'webhook',
};

/** What `id` names, by the name of the field. Changes and inclusions are not made here: some id of the other is asked for. */
const IDS: readonly (readonly [RegExp, Kind])[] = [
  [/rollout|breakGlass/i, 'rollout'],
  [/hold/i, 'hold'],
  [/floor/i, 'floor'],
  [/stop/i, 'stop'],
  [/pin$/i, 'pin'],
  [/licence/i, 'licence'],
  [/apiToken/i, 'token'],
  [/publisherCredentials/i, 'credentials'],
  [/webhook|delivery/i, 'webhook'],
  [/retryFailed|gateSecret/, 'rollout'],
  [/fleet/i, 'fleet'],
  [/session/i, 'session'],
  [/change|inclusion/i, 'hold'],
  [/createBrand/, 'brand'],
  [/revokeToken/i, 'vaultToken'],
  [/removeMember|inviteMember/i, 'vaultMember'],
  [/apiKey/i, 'apiKey'],
  [/remodel/i, 'remodel'],
  [/request/i, 'pending'],
];

/** What brands are to name of each other: a store to which a snap is licensed. Ids of stores are public (decisions 13). */
const BETWEEN: ReadonlySet<string> = new Set(['grantLicence store']);

/** Values that get further than the least ones. */
const USUAL: Readonly<Record<string, unknown>> = {
  channel: 'latest/stable',
  isEnabled: false,
  reason: 'isolation',
  revision: 1,
};

/** A stop is about what its scope says, whatever else is named. */
const SCOPES: Readonly<Record<string, string>> = {
  fleetId: 'fleet',
  rolloutId: 'rollout',
  snap: 'snap',
};

type App = 'store' | 'vault';

function kindOf(app: App, field: Field, { name, type }: Member): Kind | null {
  const leaf = getNamedType(type).name;
  // Instants are called `from` too.
  if (leaf !== 'ID' && leaf !== 'String') return null;
  if (BETWEEN.has(`${field.name} ${name}`)) return null;
  if (name === 'id' || name === 'ids' || (name === 'name' && field.name === 'snap')) {
    const [, kind] = IDS.find(([pattern]) => pattern.test(field.name)) ?? [];
    if (name === 'name') return 'snap';
    if (kind === undefined) throw new Error(`cannot tell what id of ${field.name} names: say it`);
    return kind;
  }
  if (name === 'email') return field.name === 'login' ? 'email' : null;
  if (name === 'keyId') return app === 'vault' ? 'signingKey' : 'keyId';
  return NAMED[name] ?? null;
}

const isRequired = ({ type, defaultValue }: Member): boolean =>
  isNonNullType(type) && defaultValue === undefined;

function membersOf(type: GraphQLInputType): readonly Member[] {
  const named = getNamedType(type);
  return isInputObjectType(named) ? Object.values(named.getFields()) : [];
}

interface About {
  readonly named: Things;
  readonly others: Things;
  /** The argument or member that names something of the other. */
  readonly target: string;
}

/** A field with what its arguments can name. */
class FieldRequests {
  private readonly selection: string;
  private readonly args: readonly GraphQLArgument[];
  private readonly hasBrand: boolean;

  constructor(
    private readonly app: App,
    private readonly operation: 'query' | 'mutation',
    private readonly field: Field,
  ) {
    this.selection = selectionOf(field.type, 1);
    this.args = field.args.filter(({ name }) => name !== 'brand');
    this.hasBrand = this.args.length < field.args.length;
  }

  /** One thing is the other's, all else one's own; and all of it in the other's brand. */
  templates(by: Surface): Template[] {
    const paths = this.args.flatMap((arg) => this.pathsOf(arg, []));
    const within = paths.map((path) => this.template(by, path.join('.'), path, false));
    const isPlain = !this.hasBrand && paths.length === 0;
    if (isPlain) return [this.template(by, 'as it is', [], false)];
    return this.hasBrand ? [...within, this.template(by, 'its brand', [], true)] : within;
  }

  private pathsOf(member: Member, above: Path): Path[] {
    const path = [...above, member.name];
    if (kindOf(this.app, this.field, member) !== null) return [path];
    return path.length > 3 ? [] : membersOf(member.type).flatMap((one) => this.pathsOf(one, path));
  }

  private template(by: Surface, what: string, path: Path, isTheirs: boolean): Template {
    const used = this.args.filter((arg) => isRequired(arg) || arg.name === path[0]);
    const all = [...this.field.args.filter(({ name }) => name === 'brand'), ...used];
    const declared = all.map(({ name, type }) => `$${name}: ${String(type)}`).join(', ');
    const passed = all.map(({ name }) => `${name}: $${name}`).join(', ');
    const head = all.length > 0 ? `${this.operation} (${declared})` : this.operation;
    const call = `${this.field.name}${all.length > 0 ? `(${passed})` : ''}`;
    const query = `${head} { result: ${call} ${this.selection} }`;
    return {
      name: `${this.operation} ${this.field.name}, ${what}`,
      by,
      acts: this.operation === 'mutation',
      make: ({ named, own }) => {
        const others = isTheirs ? named : own.things;
        const target = path.at(-1) ?? '';
        const about = { named, others, target };
        const values = used.map((arg) => [arg.name, this.value(arg, path, about)] as const);
        const variables = Object.fromEntries(values);
        const brand = this.hasBrand && { brand: others.brand };
        return json('POST', '/graphql', { query, variables: { ...brand, ...variables } });
      },
    };
  }

  /** `path`: the rest of the way to what is named, empty where it does not lead here. */
  private value(member: Member, path: Path, about: About): unknown {
    if (member.name === 'scope' && about.target in SCOPES) return SCOPES[about.target];
    const { named, others } = about;
    const [here, ...rest] = path;
    const isOnPath = here === member.name;
    const kind = kindOf(this.app, this.field, member);
    if (kind !== null) return listed(member.type, (isOnPath ? named : others)[kind]);
    const members = membersOf(member.type);
    if (members.length === 0) return USUAL[member.name] ?? dummyOf(member.type);
    const used = members.filter(
      (one) => isRequired(one) || (isOnPath && one.name === rest[0]) || one.name in USUAL,
    );
    const values = used.map((one) => [one.name, this.value(one, isOnPath ? rest : [], about)]);
    return listed(member.type, Object.fromEntries(values));
  }
}

const listed = (type: GraphQLInputType, value: unknown): unknown => {
  const inner = isNonNullType(type) ? type.ofType : type;
  return isListType(inner) ? [value] : value;
};

/** All that a type shows, so deep. */
function selectionOf(type: GraphQLOutputType, depth: number): string {
  const named = getNamedType(type);
  if (isLeafType(named)) return '';
  if (isUnionType(named))
    return `{ __typename ${named
      .getTypes()
      .map((member) => `... on ${member.name} ${selectionOf(member, depth)}`)
      .join(' ')} }`;
  if (!isObjectType(named)) return '{ __typename }';
  const members = Object.values(named.getFields())
    .filter((field) => !field.args.some(isRequiredArgument))
    .filter((field) => depth > 0 || isLeafType(getNamedType(field.type)))
    // Names that members of a union share with other types may have another type there: their kind is part of the alias.
    .map(
      (field) => `${named.name}_${field.name}: ${field.name} ${selectionOf(field.type, depth - 1)}`,
    );
  return `{ __typename ${members.join(' ')} }`;
}

/** What somebody does with their own login: it may end what they ask with. */
const isDoor = (app: App, { name }: Field): boolean =>
  DOORS.has((app === 'store' ? PERMISSIONS : VAULT_PERMISSIONS)[`Mutation.${name}`] ?? '');
const DOORS: ReadonlySet<unknown> = new Set(['anyone', 'person', 'human']);

function fieldsOf(app: App): Template[] {
  const schema = schemaOf(app === 'store' ? 'store-api' : 'serial-vault');
  const queries = Object.values(schema.getQueryType()?.getFields() ?? {});
  const mutations = Object.values(schema.getMutationType()?.getFields() ?? {});
  const [people, doors] =
    app === 'store' ? (['people', 'doors'] as const) : (['vaultPeople', 'vaultDoors'] as const);
  return [
    ...queries.flatMap((field) => new FieldRequests(app, 'query', field).templates(people)),
    ...mutations.flatMap((field) =>
      new FieldRequests(app, 'mutation', field).templates(isDoor(app, field) ? doors : people),
    ),
  ];
}

/** Every field of store and vault, and the routes that go by a field. */
export const fieldRequests = (): readonly Template[] => [
  ...fieldsOf('store'),
  ...fieldsOf('vault'),
  get('people', 'audit log as a file', ({ brand }) => `/api/v1/brands/${brand}/audit-log`),
];
