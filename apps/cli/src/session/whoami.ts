import type { Command } from 'commander';
import type { Io } from '../io.js';
import { facts, print, table } from '../output.js';
import { storeCommand } from '../store-command.js';
import { graphql } from '../store/graphql.js';
import { connect, type StoreOptions } from './connect.js';

const WHO = graphql`
  query {
    me {
      personId
      email
      displayName
      isOperator
      isToken
      memberships {
        brandId
        roles
      }
    }
    brands {
      id
      username
    }
  }
`;

interface Who {
  readonly me: {
    readonly email: string;
    readonly displayName: string;
    readonly isOperator: boolean;
    readonly isToken: boolean;
    readonly memberships: readonly {
      readonly brandId: string;
      readonly roles: readonly string[];
    }[];
  };
  readonly brands: readonly { readonly id: string; readonly username: string }[];
}

export const whoamiCommand = (io: Io): Command =>
  storeCommand('whoami')
    .description('who you are at the store, and with which roles')
    .action((options: StoreOptions) => whoami(io, options));

async function whoami(io: Io, options: StoreOptions): Promise<void> {
  const store = await connect(io, options);
  const { me, brands } = await store.query<Who>(WHO);
  const names = new Map(brands.map(({ id, username }) => [id, username]));
  const memberships = me.memberships.map(({ brandId, roles }) => ({
    brand: names.get(brandId) ?? '',
    brandId,
    roles: [...roles].sort(),
  }));
  const { email, displayName: name, isOperator, isToken } = me;
  const found = { store: store.url, email, name, isOperator, isToken, memberships };
  const text = facts({ store: store.url, name, email, operator: isOperator, token: isToken });
  const roles = table(
    ['brand', 'account id', 'roles'],
    memberships.map(({ brand, brandId, roles }) => [brand, brandId, roles.join(', ')]),
  );
  print(io, options, found, memberships.length === 0 ? text : `${text}\n${roles}`);
}
