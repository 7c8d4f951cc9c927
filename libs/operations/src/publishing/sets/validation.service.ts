import { decodeAssertion, header, type Assertion } from '#libs/assertions';
import { listAssertionsUnder, Snap, type Tx } from '#libs/database';
import { In } from 'typeorm';
import { readAssertion } from '../../installation/assertion-shelf.js';
import type { Resources } from '../../resources.js';

/** What a gating snap says of one that it gates; `validation` null: gated, and no revision approved yet. */
export interface Gate {
  readonly snapId: string;
  readonly snapName: string | null;
  /** Whether the declaration of the gating snap has it in `refresh-control`. */
  readonly isRequired: boolean;
  readonly validation: Assertion | null;
}

const SERIES = '16';

/** Which revisions of other snaps a snap lets through (publisher-api.md 3.13). */
export class ValidationService {
  constructor(private readonly resources: Resources) {}

  /** By snap, then revision. */
  gates(brandId: string, snapId: string, withRevoked: boolean): Promise<Gate[]> {
    return this.resources.db.asSystem(async (tx) => {
      const required = await refreshControl(tx, snapId);
      const said = (await listAssertionsUnder(tx, 'validation', [SERIES, snapId]))
        .map(({ bytes }) => decodeAssertion(bytes))
        .filter((one) => one.authorityId === brandId)
        .filter((one) => withRevoked || header(one, 'revoked') !== 'true');
      const approved = new Set(said.map((one) => header(one, 'approved-snap-id')));
      const ids = [...new Set([...required, ...approved])].sort();
      const names = new Map(
        (await tx.findBy(Snap, { id: In(ids) })).map(({ id, name }) => [id, name]),
      );
      return ids.flatMap((id) => {
        const mine = said.filter((one) => header(one, 'approved-snap-id') === id);
        const gate = {
          snapId: id,
          snapName: names.get(id) ?? null,
          isRequired: required.has(id),
        };
        return (mine.length > 0 ? mine : [null]).map((validation) => ({ ...gate, validation }));
      });
    });
  }
}

async function refreshControl(tx: Tx, snapId: string): Promise<ReadonlySet<string>> {
  const declaration = await readAssertion(tx, 'snap-declaration', [SERIES, snapId]);
  const list = declaration?.headers['refresh-control'];
  return new Set(Array.isArray(list) ? list.map(String) : []);
}
