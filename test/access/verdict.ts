import { ask } from '../../tools/clients/http.js';
import type { Call } from './dummies.js';

export type Verdict = 'allowed' | 'forbidden' | 'unauthorized' | 'absent' | 'broken';

/** The words of the gates; an operation that let somebody in may still refuse what they wish, in other words. */
export const GATE =
  /needs the role|do not belong|only the operator may|beyond the limits|a person must do it/;

/** How the vault's gate says that a brand is another's. */
const ABSENT = /^cannot find brand \S+$/;

interface Answer {
  readonly data?: { readonly result?: { __typename?: string; message?: string } | null } | null;
  readonly errors?: readonly { message: string; extensions?: { code?: string } }[];
}

/** What became of a field, and every word that came back. */
export async function askField(
  url: string,
  call: Call,
  bearer: string | null,
  brand: string,
): Promise<{ verdict: Verdict; text: string }> {
  const variables = call.hasBrand ? { ...call.variables, brand } : call.variables;
  const { text } = await ask(`${url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(bearer !== null && { authorization: `Bearer ${bearer}` }),
    },
    body: JSON.stringify({ query: call.document, variables }),
  });
  return { verdict: verdictOf(JSON.parse(text) as Answer), text };
}

const CODES: Readonly<Record<string, Verdict>> = {
  unauthorized: 'unauthorized',
  'not-found': 'allowed',
  conflict: 'allowed',
  invalid: 'allowed',
  unavailable: 'allowed',
};

function verdictOf({ data, errors }: Answer): Verdict {
  const [error] = errors ?? [];
  if (error !== undefined) {
    const code = error.extensions?.code ?? '';
    if (code === 'not-found' && ABSENT.test(error.message)) return 'absent';
    if (code === 'forbidden') return GATE.test(error.message) ? 'forbidden' : 'allowed';
    return CODES[code] ?? 'broken';
  }
  const { __typename: kind, message = '' } = data?.result ?? {};
  if (kind === 'NotFound' && ABSENT.test(message)) return 'absent';
  return kind === 'Forbidden' && GATE.test(message) ? 'forbidden' : 'allowed';
}

const STATUSES: Readonly<Record<number, Verdict>> = {
  401: 'unauthorized',
  403: 'forbidden',
  404: 'absent',
  500: 'broken',
};

export const verdictOfStatus = (status: number): Verdict => STATUSES[status] ?? 'allowed';
