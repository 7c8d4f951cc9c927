import { BrandResolver } from './brand.resolver.js';
import { DeviceResolver } from './device.resolver.js';
import { JournalResolver } from './journal.resolver.js';
import { LoginResolver } from './login.resolver.js';
import { ModelResolver } from './model.resolver.js';
import { PeopleResolver } from './people.resolver.js';

/** What the schema is made of. */
export const RESOLVERS = [
  BrandResolver,
  PeopleResolver,
  LoginResolver,
  ModelResolver,
  DeviceResolver,
  JournalResolver,
] as const;
