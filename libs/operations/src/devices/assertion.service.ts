import {
  AssertionError,
  assertionTypes,
  completePrimaryKey,
  decodeAssertion,
  decodeAssertions,
  isAssertionTypeName,
  prerequisites,
  reducePrimaryKey,
  type AssertionTypeName,
} from '#libs/assertions';
import {
  ANY_FORMAT,
  findDeviceSerial,
  findLatestInSequence,
  findServedAssertion,
  findTrustedRoot,
  ForeignRoot,
  type AssertionRow,
  type Database,
  type Tx,
} from '#libs/database';

/** What is asked for: a whole key, or that of a sequence with the point that is wanted. */
export interface AssertionQuery {
  readonly type: string;
  /** Complete or reduced primary key; without its last part when `sequence` is given. */
  readonly key: readonly string[];
  /** `latest`, one point, or the latest at or after a point. */
  readonly sequence?: 'latest' | { readonly at: number } | { readonly from: number };
  /** Highest format that the client understands. */
  readonly maxFormat: number;
}

/** Type → highest format; a type that is not listed means 0 (device-api.md 2.1). */
export type MaxFormats = Readonly<Record<string, number>>;

/** Whether the caller may have an assertion that speaks of a snap: it follows the snap's visibility (decisions 13). */
export type MayRead = (row: AssertionRow) => Promise<boolean>;

/** Hands out assertions byte for byte as they were signed (assertions.md 11.2). */
export class AssertionService {
  constructor(private readonly db: Database) {}

  /**
   * The newest revision whose format the client understands; null where there is none, where type or key are no such
   * thing, and where the caller may not read it. A serial is for its own device only: others would learn what devices there are.
   */
  async find(
    query: AssertionQuery,
    mayRead: MayRead,
    deviceUid: string | null = null,
  ): Promise<AssertionRow | null> {
    const row = await this.read(query);
    if (!row) return query.type === 'serial' ? this.ownSerial(query, deviceUid) : null;
    return row.snapId === null || (await mayRead(row)) ? row : null;
  }

  /**
   * The assertions asked for and all that they stand on up to the root, which devices have: prerequisites first, so that a
   * client saves further rounds (device-api.md 2.1, "Assertion round trips"). What is not there is left out.
   */
  async gather(
    queries: readonly AssertionQuery[],
    formats: MaxFormats,
    mayRead: MayRead,
  ): Promise<AssertionRow[]> {
    const seen = new Set(await this.db.asSystem(trustedByDevices));
    const gathered: AssertionRow[] = [];
    const visit = async (query: AssertionQuery): Promise<void> => {
      const row = await this.find(query, mayRead);
      if (!row || seen.has(`${row.type}/${row.primaryKey}`)) return;
      seen.add(`${row.type}/${row.primaryKey}`);
      for (const { type, primaryKey } of prerequisites(decodeAssertion(row.bytes))) {
        await visit({ type, key: primaryKey, maxFormat: formats[type] ?? 0 });
      }
      gathered.push(row);
    };
    for (const query of queries) await visit(query);
    return gathered;
  }

  private async read({
    type,
    key,
    sequence,
    maxFormat,
  }: AssertionQuery): Promise<AssertionRow | null> {
    if (!isAssertionTypeName(type)) return null;
    const format = Math.min(maxFormat, ANY_FORMAT);
    if (sequence === undefined) return this.readOne(type, key, format);
    const { isSequence, primaryKey } = assertionTypes[type];
    if (!isSequence || key.length !== primaryKey.length - 1) return null;
    if (sequence !== 'latest' && 'at' in sequence) {
      return this.readOne(type, [...key, String(sequence.at)], format);
    }
    const from = sequence === 'latest' ? 1 : sequence.from;
    return this.db.asNobody((tx) => findLatestInSequence(tx, type, key.join('/'), from, format));
  }

  private async ownSerial(
    { key }: AssertionQuery,
    deviceUid: string | null,
  ): Promise<AssertionRow | null> {
    if (deviceUid === null) return null;
    const bytes = await this.db.asSystem((tx) => findDeviceSerial(tx, deviceUid));
    const serial = bytes && decodeAssertion(bytes);
    if (!serial || serial.primaryKey.join('/') !== key.join('/')) return null;
    const { type, format, revision } = serial;
    return { type, format, revision, primaryKey: key.join('/'), bytes: serial.bytes, snapId: null };
  }

  private async readOne(
    type: AssertionTypeName,
    key: readonly string[],
    maxFormat: number,
  ): Promise<AssertionRow | null> {
    const reduced = reduce(type, key);
    if (reduced === null) return null;
    return this.db.asNobody((tx) => findServedAssertion(tx, type, reduced, maxFormat));
  }
}

/** `type/key` of the trusted sets, ours and foreign ones: a device refuses to be given what it trusts as built in. */
async function trustedByDevices(tx: Tx): Promise<string[]> {
  const own = await findTrustedRoot(tx);
  const foreign = (await tx.find(ForeignRoot)).flatMap(({ trusted }) => decodeAssertions(trusted));
  return [
    `account/${own?.operatorAccountId}`,
    `account-key/${own?.rootKeyId}`,
    ...foreign.map(({ type, primaryKey }) => `${type}/${primaryKey.join('/')}`),
  ];
}

/** Null when it is no key of this type: too many or too few parts. */
function reduce(type: AssertionTypeName, key: readonly string[]): string | null {
  try {
    return reducePrimaryKey(type, completePrimaryKey(type, key)).join('/');
  } catch (error) {
    if (error instanceof AssertionError) return null;
    throw error;
  }
}
