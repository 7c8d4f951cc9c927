/** Assertions: decode, encode, sign, verify and check. Pure: no I/O and no clock. See README.md of this library. */
export { compareRevisions, header, MEDIA_TYPE } from './assertion.js';
export type { Assertion, AssertionTypeName } from './assertion.js';
export { verifySelfSigned } from './self-signed.js';
export { AssertionDatabase } from './database.js';
export type { DatabaseOptions } from './database.js';
export {
  decodeAssertion,
  decodeAssertions,
  MAX_BODY_BYTES,
  MAX_HEADERS_BYTES,
  MAX_SIGNATURE_BYTES,
  StreamReader,
} from './decode.js';
export type { StreamLimits } from './decode.js';
export {
  checkModel,
  checkRegistration,
  checkSerial,
  checkSerialRequest,
  registrationParts,
} from './device/registration.js';
export type {
  ModelCheck,
  Registration,
  RegistrationParts,
  SerialCheck,
  SerialRequestCheck,
} from './device/registration.js';
export { checkDeviceSession, checkDeviceSessionRequest } from './device/session.js';
export type { DeviceSession, DeviceSessionRequestCheck } from './device/session.js';
export { encodeAssertions } from './encode.js';
export { AssertionError, errorClasses, errorOf } from './error.js';
export type { ErrorClass, Refusal, Verdict } from './error.js';
export { writeHeaders } from './header-writer.js';
export { parseHeaders } from './headers.js';
export type { HeaderList, HeaderMap, HeaderValue } from './headers.js';
export { writeJsonBody } from './json-body.js';
export type { Lookup } from './lookup.js';
export {
  ACCOUNT_ID,
  DEFAULT_PROVENANCE,
  isSnapName,
  SERIES,
  SNAP_ID,
  STRICT_SERIAL,
} from './names.js';
export { publicKeyFromEncoded, publicKeyFromKeyObject } from './public-key.js';
export type { PublicKey } from './public-key.js';
export { completePrimaryKey, prerequisites, reducePrimaryKey, ref, uniqueRef } from './ref.js';
export { isInScope } from './rules/device-scope.js';
export type { DeviceScope, ScopedDevice } from './rules/device-scope.js';
export { contentToSign, signAssertion } from './sign.js';
export type { AssertionDraft } from './sign.js';
export { localSigner } from './signer.js';
export type { Signer } from './signer.js';
export { MemoryStore } from './store.js';
export type { AssertionStore } from './store.js';
export { instantOf, parseTime } from './time.js';
export type { Instant } from './time.js';
export { accountKeyOf } from './types/account-key.js';
export type { AccountKey } from './types/account-key.js';
export type { AssertionType, Ref } from './types/assertion-type.js';
export { assertionTypes, isAssertionTypeName } from './types/index.js';
export { serialAuthorityOf, systemUserAuthorityOf } from './types/model.js';
export { deviceKeyOf } from './types/serial.js';
export { revisionAuthoritiesOf } from './types/snap-declaration.js';
export type { RevisionAuthority } from './types/snap-declaration.js';
