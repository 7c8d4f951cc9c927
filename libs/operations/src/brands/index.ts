export { ApiTokenService, type ApiToken, type NewApiToken } from './api-token.service.js';
export { BrandService, type BrandOrder, type StoreOrder } from './brand.service.js';
export { KeyService, type CertifyOrder } from './key.service.js';
export { ModelService, type ModelView } from './model.service.js';
export { PeopleService, type Member, type NewMember, type PersonOrder } from './people.service.js';
export { actorOf, requireHuman, type Principal } from './principal.js';
export { BrandReader, type DeviceFilter, type Figures, type JobRow, type Page } from './reader.js';
export { SignInService, type Session } from './sign-in.service.js';
export { performAct, type Act, type Done } from './act.js';
