import { Failure } from '../usage.js';

export interface Problem {
  /** Member of the input, such as `waves[1].percent`. */
  readonly path: string;
  readonly message: string;
}

export type RefusalKind = 'Invalid' | 'Forbidden' | 'NotFound' | 'Conflict';

const KINDS: ReadonlySet<string> = new Set<RefusalKind>([
  'Invalid',
  'Forbidden',
  'NotFound',
  'Conflict',
]);

/** The store said no, in the words of its answer. */
export class Refusal extends Failure {
  override readonly name = 'Refusal';

  constructor(
    readonly kind: RefusalKind | 'Unauthorized' | 'Error',
    message: string,
    readonly problems: readonly Problem[] = [],
    /** The state of things, of a conflict. */
    readonly current: unknown = null,
  ) {
    super(message);
  }
}

interface Answered {
  readonly __typename?: string;
  readonly message?: string;
  readonly problems?: readonly Problem[];
  readonly current?: unknown;
}

/** The result of a mutation; throws it as a `Refusal` if it is one. */
export function accepted<T>(result: T): T {
  const { __typename: kind, message, problems, current } = result as Answered;
  if (kind === undefined || !KINDS.has(kind)) return result;
  throw new Refusal(kind as RefusalKind, message ?? kind, problems, current);
}

/** A refusal in lines: what, and each problem with its path. */
export function refusalLines({ message, problems }: Refusal): string[] {
  const isRepeated = problems.length === 1 && problems[0]?.message === message;
  if (isRepeated) return [`${problems[0]?.path}: ${message}`];
  return [message, ...problems.map(({ path, message: what }) => `  ${path}: ${what}`)];
}
