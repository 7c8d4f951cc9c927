import { decodeAssertion, header, writeJsonBody, type Assertion } from '#libs/assertions';
import { listAssertionsUnder } from '#libs/database';
import { timestamp } from '../../installation/timestamp.js';
import type { Resources } from '../../resources.js';
import { refusal } from '../wire-code.js';

/** What somebody wrote in an editor; `body` is the storage's schema as JSON. */
export interface ConfdbDraft {
  readonly accountId: string;
  readonly name: string;
  readonly summary?: string | undefined;
  readonly views: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** Confdb schemas as their publisher sees and drafts them (publisher-api.md 3.14). */
export class ConfdbSchemaService {
  constructor(private readonly resources: Resources) {}

  /** The newest of each name; empty where there is none. */
  async list(accountId: string, name: string | null): Promise<Assertion[]> {
    const rows = await this.resources.db.asBrand(accountId, (tx) =>
      listAssertionsUnder(tx, 'confdb-schema', [accountId]),
    );
    return rows
      .map(({ bytes }) => decodeAssertion(bytes))
      .filter((one) => name === null || header(one, 'name') === name);
  }

  /** The headers and the body that the client signs, the body in the one form that may be signed. Throws `invalid`. */
  async draft(draft: ConfdbDraft): Promise<Readonly<Record<string, unknown>>> {
    const { accountId, name, summary, views, body } = draft;
    const [newest] = await this.list(accountId, name);
    return {
      type: 'confdb-schema',
      'authority-id': accountId,
      'account-id': accountId,
      name,
      revision: String(newest ? newest.revision + 1 : 0),
      ...(summary !== undefined && { summary }),
      views,
      timestamp: timestamp(this.resources.db.clock.now()),
      body: writeJsonBody(readJson(body)),
    };
  }
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw refusal('invalid', 'invalid-request', `cannot read the body as JSON: ${why}`);
  }
}
