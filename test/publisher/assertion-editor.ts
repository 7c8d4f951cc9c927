import { MEDIA_TYPE, signAssertion, type AssertionDraft, type Signer } from '#libs/assertions';
import type { Answer, SnapcraftClient } from './snapcraft-client.js';

/** What `edit-validation-sets` and `edit-confdb-schema` do behind the editor (publisher-api.md 3.14), with a key of one's own. */
export class AssertionEditor {
  /** @param path of the kind of assertion, as `/api/v2/validation-sets` */
  constructor(
    private readonly client: SnapcraftClient,
    readonly path: string,
    private readonly signer: Signer,
  ) {}

  build(document: object): Promise<Answer> {
    return this.client.post(`${this.path}/build-assertion`, document);
  }

  async submit(text: string): Promise<Answer> {
    const { credentials } = this.client;
    const authorization = credentials ? this.client.authorization(credentials) : '';
    const answer = await fetch(this.client.url + this.path, {
      method: 'POST',
      headers: { 'content-type': MEDIA_TYPE, accept: 'application/json', authorization },
      body: text,
    });
    const body = await answer.text();
    const { status, headers } = answer;
    return { status, headers, text: body, json: () => JSON.parse(body) as never };
  }

  /** From what the editor wrote to what the store made of it: exactly one assertion, or the client complains. */
  async edit<One>(document: object): Promise<One> {
    const built = taken(await this.build(document));
    const answer = taken(await this.submit(await signTexts(built, this.signer)));
    const [one, ...others] = answer['assertions'] as One[];
    if (!one || others.length > 0) throw new Error('Received invalid assertion from the store');
    return one;
  }

  /** `register-key`. */
  async registerKey(brandId: string, name: string): Promise<void> {
    const headers = {
      'account-id': brandId,
      name,
      'public-key-sha3-384': this.signer.publicKey.id,
      since: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
    };
    const body = Buffer.from(this.signer.publicKey.encoded);
    const draft = { type: 'account-key-request' as const, headers, body };
    const request = await signAssertion(draft, this.signer, new Date());
    taken(
      await this.client.post('/dev/api/account/account-key', {
        account_key_request: request.bytes.toString(),
      }),
    );
  }
}

function taken(answer: Answer): Readonly<Record<string, unknown>> {
  if (answer.status !== 200) throw new Error(`${answer.status}: ${answer.text}`);
  return answer.json();
}

/** As `snap sign`: all scalars became texts before, a `body` follows the headers. */
export async function signTexts(document: object, key: Signer): Promise<string> {
  const { type, revision, body, ...headers } = texts(document) as Record<string, unknown>;
  const draft = {
    type,
    headers: { ...headers, ...(revision !== '0' && revision !== undefined && { revision }) },
    ...(body !== undefined && { body: Buffer.from(body as string) }),
  } as unknown as AssertionDraft;
  return (await signAssertion(draft, key, new Date())).bytes.toString();
}

const texts = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(texts);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, texts(one)]));
  return String(value);
};
