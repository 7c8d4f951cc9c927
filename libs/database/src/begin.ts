import { escapeLiteral } from 'pg';
import type { QueryRunner } from 'typeorm';

const START = 'START TRANSACTION';

/**
 * Begins a transaction and says for whom it works, in one journey to Postgres instead of two: every transaction begins so, and TypeORM
 * offers no place for a second statement.
 */
export async function begin(runner: QueryRunner, scope: string): Promise<void> {
  // eslint-disable-next-line @typescript-eslint/unbound-method -- put back below, called with its own `this`
  const own = runner.query;
  let isSaid = false;
  runner.query = (text: string, ...rest: unknown[]) => {
    isSaid ||= text === START;
    const told = `${START}; SELECT set_config('app.brand', ${escapeLiteral(scope)}, true)`;
    return own.call(runner, text === START ? told : text, ...(rest as []));
  };
  try {
    await runner.startTransaction();
  } finally {
    runner.query = own;
  }
  if (!isSaid) throw new Error(`cannot begin a transaction: TypeORM does not say ${START}`);
}
