import { AuditResolver } from './journal/audit.resolver.js';
import { AccountKeyResolver } from './keys/account-key.resolver.js';
import { ModelResolver } from './models/model.resolver.js';
import { AssertionResolver } from './assertions/assertion.resolver.js';
import { BrakeResolver } from './brakes/brake.resolver.js';
import { BrandResolver } from './brands/brand.resolver.js';
import { DeclarationResolver } from './declarations/declaration.resolver.js';
import { DeviceResolver } from './devices/device.resolver.js';
import { EventResolver } from './events/event.resolver.js';
import { FleetResolver } from './fleets/fleet.resolver.js';
import { ImageCheckResolver } from './images/image-check.resolver.js';
import { JournalResolver } from './journal/journal.resolver.js';
import { ApiTokenResolver } from './people/api-token.resolver.js';
import { LoginResolver } from './people/login.resolver.js';
import { LicenceResolver } from './stores/licence.resolver.js';
import { StoreKeyResolver } from './keys/store-key.resolver.js';
import { PeopleResolver } from './people/people.resolver.js';
import { PreviewResolver } from './previews/preview.resolver.js';
import { RolloutHealthResolver } from './rollouts/rollout-health.resolver.js';
import { RolloutProgressResolver } from './rollouts/rollout-progress.resolver.js';
import { ApprovalSettingsResolver } from './rollouts/approval-settings.resolver.js';
import { RolloutControlResolver } from './rollouts/rollout-control.resolver.js';
import { RolloutResolver } from './rollouts/rollout.resolver.js';
import { ScheduleResolver } from './schedules/schedule.resolver.js';
import { PublishingResolver } from './snaps/publishing.resolver.js';
import { CredentialsResolver } from './people/credentials.resolver.js';
import { SnapDiagnosisResolver } from './snaps/snap-diagnosis.resolver.js';
import { SnapResolver, UploadResolver } from './snaps/snap.resolver.js';
import { StoreResolver } from './stores/store.resolver.js';
import { TrustResolver } from './trust/trust.resolver.js';
import { WebhookResolver } from './webhooks/webhook.resolver.js';

/** Everything that has fields in the schema. */
export const RESOLVERS = [
  AccountKeyResolver,
  ApiTokenResolver,
  ApprovalSettingsResolver,
  AuditResolver,
  AssertionResolver,
  BrakeResolver,
  BrandResolver,
  DeclarationResolver,
  DeviceResolver,
  EventResolver,
  FleetResolver,
  ImageCheckResolver,
  JournalResolver,
  LoginResolver,
  LicenceResolver,
  ModelResolver,
  PeopleResolver,
  PreviewResolver,
  RolloutHealthResolver,
  RolloutProgressResolver,
  RolloutControlResolver,
  RolloutResolver,
  ScheduleResolver,
  SnapDiagnosisResolver,
  SnapResolver,
  StoreResolver,
  UploadResolver,
  PublishingResolver,
  CredentialsResolver,
  StoreKeyResolver,
  TrustResolver,
  WebhookResolver,
];
