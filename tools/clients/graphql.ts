import { ask, expectStatus } from './http.js';

interface GraphQLAnswer<T> {
  readonly data?: T | null;
  readonly errors?: readonly { message: string; extensions?: { code?: string } }[];
}

export class GraphQLRefusal extends Error {
  constructor(
    message: string,
    readonly code: string | undefined,
  ) {
    super(message);
  }
}

/** Somebody at the brand's GraphQL: of the store or of the vault. */
export class GraphQLClient {
  /** `patienceMs`: how long an answer may take; 30 s, if not given. */
  constructor(
    private readonly endpoint: string,
    private readonly bearer?: string,
    private readonly patienceMs?: number,
  ) {}

  as(bearer: string): GraphQLClient {
    return new GraphQLClient(this.endpoint, bearer, this.patienceMs);
  }

  /** Runs a document; throws the first error. */
  async run<T>(query: string, variables: Readonly<Record<string, unknown>> = {}): Promise<T> {
    const answer = await ask(this.endpoint, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(this.bearer && { authorization: `Bearer ${this.bearer}` }),
      },
      body: JSON.stringify({ query, variables }),
      ...(this.patienceMs && { signal: AbortSignal.timeout(this.patienceMs) }),
    });
    const { data, errors } = expectStatus('ask GraphQL', answer, 200, 400, 401, 403).json<
      GraphQLAnswer<T>
    >();
    const [first] = errors ?? [];
    if (first) throw new GraphQLRefusal(first.message, first.extensions?.code);
    if (!data) throw new GraphQLRefusal(`no data: ${answer.text}`, undefined);
    return data;
  }
}

const REFUSALS = new Set(['Invalid', 'Forbidden', 'NotFound', 'Conflict']);

/** The result of a mutation, unless it is a refusal; then that is thrown with its words. */
export function taken<T extends object>(result: T): T {
  const { __typename: kind, message } = result as { __typename?: string; message?: string };
  if (kind !== undefined && REFUSALS.has(kind)) throw new GraphQLRefusal(message ?? kind, kind);
  return result;
}
