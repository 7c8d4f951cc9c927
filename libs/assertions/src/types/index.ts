import type { AssertionTypeName } from '../assertion.js';
import { accountKeyRequestType, accountKeyType } from './account-key.js';
import { accountType } from './account.js';
import type { AssertionType } from './assertion-type.js';
import { clusterType } from './cluster.js';
import { confdbControlType, confdbSchemaType } from './confdb.js';
import { hardwareIdentityType } from './hardware-identity.js';
import { requestMessageType, responseMessageType } from './messages.js';
import { modelType } from './model.js';
import { preseedType } from './preseed.js';
import { repairType } from './repair.js';
import { deviceSessionRequestType, serialRequestType, serialType } from './serial.js';
import { baseDeclarationType, snapDeclarationType } from './snap-declaration.js';
import { snapBuildType, snapDeveloperType, validationType } from './snap-facts.js';
import {
  snapResourcePairType,
  snapResourceRevisionType,
  snapRevisionType,
} from './snap-revision.js';
import { storeType } from './store.js';
import { systemUserType } from './system-user.js';
import { validationSetType } from './validation-set.js';

/** Every understood type with its primary key, highest format and rules (assertions.md 3). */
export const assertionTypes: Readonly<Record<AssertionTypeName, AssertionType>> = {
  account: accountType,
  'account-key': accountKeyType,
  'account-key-request': accountKeyRequestType,
  'base-declaration': baseDeclarationType,
  cluster: clusterType,
  'confdb-control': confdbControlType,
  'confdb-schema': confdbSchemaType,
  'device-session-request': deviceSessionRequestType,
  'hardware-identity': hardwareIdentityType,
  model: modelType,
  preseed: preseedType,
  repair: repairType,
  'request-message': requestMessageType,
  'response-message': responseMessageType,
  serial: serialType,
  'serial-request': serialRequestType,
  'snap-build': snapBuildType,
  'snap-declaration': snapDeclarationType,
  'snap-developer': snapDeveloperType,
  'snap-resource-pair': snapResourcePairType,
  'snap-resource-revision': snapResourceRevisionType,
  'snap-revision': snapRevisionType,
  store: storeType,
  'system-user': systemUserType,
  validation: validationType,
  'validation-set': validationSetType,
};

export function isAssertionTypeName(name: string): name is AssertionTypeName {
  return Object.hasOwn(assertionTypes, name);
}
