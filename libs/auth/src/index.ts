export { AuthError } from './auth-error.js';
export type { AuthErrorCode } from './auth-error.js';
export { formatApiKey, readApiKey } from './api-key.js';
export type { StoredApiKey } from './api-key.js';
export { parseAuthorization } from './authorization.js';
export type { Authorization } from './authorization.js';
export { COHORT_LIFE_MS, mintCohortKey, readCohortKey } from './cohort-key.js';
export type { Cohort } from './cohort-key.js';
export { isSameSecret } from './constant-time.js';
export { readDeviceHeaders } from './device-headers.js';
export type { DeviceHeaders, HeaderBag } from './device-headers.js';
export {
  SESSION_HARD_MS,
  SESSION_SOFT_MS,
  mintDeviceSession,
  readDeviceSession,
} from './device-session.js';
export type {
  DeviceIdentity,
  DeviceSession,
  DeviceSessionReading,
  SessionKey,
} from './device-session.js';
export { LIMIT_KINDS, ROLES, isWithin, mayDo, maySee, narrowGrants, tidyLimits } from './grants.js';
export type { AnyRole, Grant, Limits, Role, Subject, Thing } from './grants.js';
export { bindDischarge, decodeMacaroon, encodeMacaroon, mintMacaroon } from './macaroon.js';
export type { Caveat, Macaroon } from './macaroon.js';
export { FailureCount } from './failure-count.js';
export {
  LEAST_PASSWORD,
  PASSWORD_COST,
  SALT_BYTES,
  hashPassword,
  isPasswordChoice,
  isPasswordOf,
  needsRehash,
  verifyPassword,
} from './password.js';
export type { ScryptCost } from './password.js';
export {
  derivePublisherKeys,
  identifyPublisherDischarge,
  identifyPublisherRoot,
  mintPublisherDischarge,
  mintPublisherRoot,
  verifyPublisherLogin,
  verifyUnboundDischarge,
} from './publisher-login.js';
export type {
  PublisherDischarge,
  PublisherKeys,
  PublisherLogin,
  PublisherLoginRefused,
  PublisherRefusal,
  PublisherRoot,
} from './publisher-login.js';
export { RANDOM_BYTES, formatId, formatNonce, hashNonce } from './random-text.js';
export { RECOVERY_CODE_BYTES, formatRecoveryCode, hashRecoveryCode } from './recovery-code.js';
export {
  RECOVERY_BYTES,
  TOTP_NONCE_BYTES,
  drawRecoveryCodes,
  openTotpSecret,
  sealTotpSecret,
  spendCode,
} from './second-factor.js';
export type { FactorOwner, SecondFactor } from './second-factor.js';
export { TOKEN_RANDOM_BYTES, formatToken, isSameHash, parseToken } from './secret-token.js';
export type { TokenKind, TokenParts } from './secret-token.js';
export { TOTP_SECRET_BYTES, formatTotpSecret, totpCode, totpUri, verifyTotp } from './totp.js';
