export { BrandAssertionService, type BrandAssertionView } from './brand-assertion.service.js';
export {
  ApiTokenService,
  type ApiToken,
  type ApiTokenOrder,
  type NewApiToken,
} from './api-token.service.js';
export { AuditService, type AuditFilter, type AuditVerdict } from './audit.service.js';
export { BrandService, type BrandOrder } from './brand.service.js';
export { KeyRetirementService, requireNotRetired } from './key-retirement.service.js';
export { KeyService, type CertifyOrder, type KeyView } from './key.service.js';
export { type GrantOrder } from './grants.js';
export { InvitationService } from './invitation.service.js';
export { type Member, type NewMember } from './member.js';
export { PeopleService, type PersonOrder } from './people.service.js';
export { actorOf, requireHuman, rolesIn, sees, type Principal } from './principal.js';
export { BrandReader, type DeviceFilter, type Figures, type JobRow, type Page } from './reader.js';
export { SubjectFinder, thingOfSnap, type Named, type NamedKind } from './subject-finder.js';
export { SecondFactorService } from './second-factor.service.js';
export { SessionService, type OpenSession } from './session.service.js';
export { Sight, type Seen } from './sight.js';
export { SignInService, type Client, type Session } from './sign-in.service.js';
export { performAct, type Act, type Done } from './act.js';
