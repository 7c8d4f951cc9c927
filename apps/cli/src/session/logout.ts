import type { Command } from 'commander';
import type { Io } from '../io.js';
import { print } from '../output.js';
import { storeCommand } from '../store-command.js';
import { graphql, REFUSALS } from '../store/graphql.js';
import { Refusal } from '../store/refusal.js';
import { StoreClient } from '../store/store-client.js';
import { Failure } from '../usage.js';
import { meantUrl, type StoreOptions } from './connect.js';
import { SessionFile } from './session-file.js';

const LOGOUT = graphql`mutation { logout { __typename ... on Done { isDone } ${REFUSALS} } }`;

export const logoutCommand = (io: Io): Command =>
  storeCommand('logout')
    .description('end the session, at the store and here')
    .action((options: StoreOptions) => logout(io, options));

async function logout(io: Io, options: StoreOptions): Promise<void> {
  const file = new SessionFile(io.env);
  const url = await meantUrl(io, options.url);
  const session = url === null ? null : await file.find(url);
  if (url === null || session === null)
    throw new Failure('cannot log out: nobody is logged in here');
  try {
    await new StoreClient(url, session.token).act(LOGOUT, {});
  } catch (error) {
    // A session that the store no longer knows is as ended as it can be.
    if (!(error instanceof Refusal && error.kind === 'Unauthorized')) throw error;
  }
  await file.forget(url);
  print(io, options, { url, isDone: true }, `logged out of ${url}`);
}
