import type { HeaderMap, HeaderValue } from '#libs/assertions';

type Side = 'plug' | 'slot';

/** What a subrule is about, and how its name ends (assertions.md 10.1). */
const TOPICS: Readonly<Record<string, string>> = {
  installation: 'installing the snap',
  connection: 'connecting by hand',
  'auto-connection': 'connecting automatically',
};

/** How a subrule of each verb reads; `undefined`: the declaration does not say. */
const VERBS = {
  allow: {
    true: 'allowed',
    false: 'not allowed',
    if: 'allowed if',
    none: 'as the base declaration says',
  },
  deny: { true: 'refused', false: 'not refused', if: 'refused if', none: 'not refused' },
} as const;

/**
 * What differs between two snap-declarations, in sentences for the people who decide about it; empty: nothing that means
 * anything. Times, revisions and signatures are not looked at.
 */
export function describeChanges(before: HeaderMap, after: HeaderMap): string[] {
  return [
    ...renamed(before, after),
    ...ruleChanges('plug', before, after),
    ...ruleChanges('slot', before, after),
    ...aliasChanges(before, after),
    ...gained(before, after, 'auto-aliases', {
      gained: (alias) => `The alias ${quote(alias)} is now set up by itself.`,
      lost: (alias) => `The alias ${quote(alias)} is no longer set up by itself.`,
    }),
    ...gained(before, after, 'refresh-control', {
      gained: (id) =>
        `Updates of snap ${text(id)} now wait for a validation by this snap's publisher.`,
      lost: (id) => `Updates of snap ${text(id)} no longer wait for this snap's publisher.`,
    }),
    ...gained(before, after, 'revision-authority', {
      gained: (entry) => `Now ${authority(entry)}.`,
      lost: (entry) => `No longer true: ${authority(entry)}.`,
    }),
  ];
}

function renamed(before: HeaderMap, after: HeaderMap): string[] {
  const [old = '', now = ''] = [before['snap-name'], after['snap-name']];
  if (old === now) return [];
  if (now === '') return [`The snap ${quote(old)} is withdrawn: no device takes it any more.`];
  return [`The snap is now named ${quote(now)}; before, ${quote(old)}.`];
}

function ruleChanges(side: Side, before: HeaderMap, after: HeaderMap): string[] {
  const [old, now] = [mapOf(before[`${side}s`]), mapOf(after[`${side}s`])];
  return union(Object.keys(old), Object.keys(now)).flatMap((name) => {
    const [was, is] = [subrules(old[name]), subrules(now[name])];
    return union(Object.keys(was), Object.keys(is))
      .filter((subrule) => !isSame(was[subrule], is[subrule]))
      .map((subrule) => {
        const { verb, topic } = parse(subrule);
        const subject = `${side === 'plug' ? 'Plugs' : 'Slots'} of ${quote(name)}: ${topic}`;
        return `${subject} is now ${phrase(verb, is[subrule])}; before, ${phrase(verb, was[subrule])}.`;
      });
  });
}

/** `true` and `false` in place of a rule stand for all three permissions. */
function subrules(rule: HeaderValue | undefined): HeaderMap {
  if (rule === 'true' || rule === 'false')
    return Object.fromEntries(Object.keys(TOPICS).map((topic) => [`allow-${topic}`, rule]));
  return mapOf(rule);
}

function parse(subrule: string): { verb: keyof typeof VERBS; topic: string } {
  const verb = subrule.startsWith('deny-') ? 'deny' : 'allow';
  return { verb, topic: TOPICS[subrule.slice(verb.length + 1)] ?? subrule };
}

function phrase(verb: keyof typeof VERBS, value: HeaderValue | undefined): string {
  const words = VERBS[verb];
  if (value === undefined) return words.none;
  if (value === 'true' || value === 'false') return words[value];
  return `${words.if} ${conditions(value)}`;
}

/** Alternatives are joined by "or", what one of them asks for by "and". */
function conditions(value: HeaderValue): string {
  const alternatives = Array.isArray(value) ? listOf(value) : [value];
  return alternatives
    .map((alternative) =>
      Object.entries(mapOf(alternative))
        .map(([name, constraint]) => `${name.replaceAll('-', ' ')} ${matches(constraint ?? '')}`)
        .join(' and '),
    )
    .join(', or ');
}

function matches(constraint: HeaderValue): string {
  if (typeof constraint === 'string') return `is ${constraint}`;
  const list = listOf(constraint);
  const isListOfTexts = list.length > 0 && list.every((one) => typeof one === 'string');
  if (!isListOfTexts) return `match ${JSON.stringify(constraint)}`;
  return list.length === 1 ? `is ${list.join('')}` : `is one of ${list.join(', ')}`;
}

function aliasChanges(before: HeaderMap, after: HeaderMap): string[] {
  const [old, now] = [targets(before), targets(after)];
  return union([...old.keys()], [...now.keys()]).flatMap((name) => {
    const [was, is] = [old.get(name), now.get(name)];
    if (was === is) return [];
    if (is === undefined) return [`The alias ${quote(name)} is gone.`];
    const previously = was === undefined ? '' : `; before, ${quote(was)}`;
    return [`The alias ${quote(name)} now runs the app ${quote(is)}${previously}.`];
  });
}

const targets = (headers: HeaderMap): ReadonlyMap<string, string> =>
  new Map(
    listOf(headers['aliases'])
      .map(mapOf)
      .map((one) => [text(one['name']), text(one['target'])]),
  );

function gained(
  before: HeaderMap,
  after: HeaderMap,
  header: string,
  say: Record<'gained' | 'lost', (entry: HeaderValue) => string>,
): string[] {
  const [old, now] = [listOf(before[header]), listOf(after[header])];
  const without = (list: readonly HeaderValue[], others: readonly HeaderValue[]): HeaderValue[] =>
    list.filter((one) => !others.some((other) => isSame(one, other)));
  return [...without(now, old).map(say.gained), ...without(old, now).map(say.lost)];
}

function authority(entry: HeaderValue): string {
  const { 'account-id': account, provenance, ...limits } = mapOf(entry);
  const where = Object.entries(limits).map(
    ([name, value]) => `${name.replaceAll('-', ' ')} ${listOrText(value ?? '')}`,
  );
  return [
    `account ${text(account)} may sign revisions with provenance ${listOrText(provenance ?? '')}`,
    ...where,
  ].join(', ');
}

const listOrText = (value: HeaderValue): string =>
  Array.isArray(value) ? value.map(text).join(', ') : text(value);
const text = (value: HeaderValue | undefined): string =>
  typeof value === 'string' ? value : JSON.stringify(value ?? '');
const quote = (value: HeaderValue): string => `"${text(value)}"`;
const listOf = (value: HeaderValue | undefined): readonly HeaderValue[] =>
  Array.isArray(value) ? (value as readonly HeaderValue[]) : [];
const mapOf = (value: HeaderValue | undefined): HeaderMap =>
  typeof value === 'object' && !Array.isArray(value) ? (value as HeaderMap) : {};
const union = (a: readonly string[], b: readonly string[]): string[] =>
  [...new Set([...a, ...b])].sort();

/** Maps of headers have no order. */
function isSame(a: HeaderValue | undefined, b: HeaderValue | undefined): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

function sorted(value: HeaderValue | undefined): unknown {
  if (Array.isArray(value)) return value.map((one: HeaderValue) => sorted(one));
  if (typeof value !== 'object') return value;
  return Object.entries(mapOf(value))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => [name, sorted(member)]);
}
