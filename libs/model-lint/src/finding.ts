/** Something about a model that its author should know. */
export interface Finding {
  /** `error`: the store or devices refuse it. `note`: it works, but maybe not as meant. */
  readonly severity: 'error' | 'note';
  /** Both count from 1. */
  readonly line: number;
  readonly column: number;
  /** Header it is about; null: the text as a whole. */
  readonly header: string | null;
  readonly cause: string;
  readonly remedy: string;
}

/** What is known besides the text; what is null is not looked at, as when nobody asked a store. */
export interface LintContext {
  readonly now: Date;
  /** The account that the author acts for. */
  readonly accountId: string | null;
  /** Names of all snaps that devices of the model's store can see; by store id, `''` where the model names no store. */
  readonly snapsOf: ((storeId: string) => ReadonlySet<string> | null) | null;
  /** Ids of the brand's keys that may sign, and since when each counts. */
  readonly keys: ReadonlyMap<string, Date> | null;
}

export interface LintReport {
  readonly kind: 'draft' | 'assertion';
  /** Brand id and name, where they can be read. */
  readonly model: string | null;
  /** In the order of the text. */
  readonly findings: readonly Finding[];
}

/** A finding before its place is known: where in the headers, as a path of names and indexes. */
export interface Remark {
  readonly severity: Finding['severity'];
  readonly path: readonly (string | number)[];
  readonly cause: string;
  readonly remedy: string;
}
