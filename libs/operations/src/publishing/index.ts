export type { Actor } from './actor.js';
export { openIn, type OpenEntry, type ProgressiveEntry } from './channels/channel-map.js';
export { ChannelService, type OpenChannel, type SnapChannels } from './channels/channel.service.js';
export { appendLaneEntry, lockLane, type LaneEntry } from './channels/lane-log.js';
export { parseChannels, shortName } from './channels/release-channels.js';
export { ReleaseService, type CloseOrder, type ReleaseOrder } from './channels/release.service.js';
export type { DeclarationOrder } from './declarations/declaration-draft.js';
export {
  DeclarationService,
  type DeclarationEdit,
  type DeclarationView,
} from './declarations/declaration.service.js';
export { DeltaService } from './deltas/delta.service.js';
export { applyDelta, findXdelta3 } from './deltas/run-xdelta3.js';
export {
  CredentialsService,
  type MintedCredentials,
  type PublisherCredentials,
} from './login/credentials.service.js';
export { type RootOrder } from './login/mint-login.js';
export { PublisherLoginService, type DischargeOrder } from './login/publisher-login.service.js';
export {
  actorOfPublisher,
  principalOf,
  requireChannels,
  requirePackage,
  requirePermission,
  requireRole,
  requireWholeAccount,
  storesFor,
  type Publisher,
} from './login/publisher.js';
export {
  CollaboratorService,
  type CollaboratorOrder,
  type CollaboratorView,
} from './names/collaborator.service.js';
export {
  MetadataService,
  type IconOrder,
  type MetadataOrder,
  type SnapTexts,
} from './names/metadata.service.js';
export { NameService, type NameOrder } from './names/name.service.js';
export { SnapDirectory, type AccountView } from './names/snap-directory.service.js';
export { TrackService, type TrackOrder } from './names/track.service.js';
export type { Problem } from './review/problem.js';
export { ReviewQueueService, type ReviewOrder } from './review/review-queue.service.js';
export { ReviewService } from './review/review.service.js';
export { ConfdbSchemaService, type ConfdbDraft } from './sets/confdb-schema.service.js';
export { InstalledBase } from './sets/installed-base.js';
export {
  ValidationSetService,
  type SequenceWish,
  type SetDraft,
} from './sets/validation-set.service.js';
export { ValidationService, type Gate } from './sets/validation.service.js';
export { BlobIntakeService, LARGEST_BLOB_BYTES } from './uploads/blob-intake.service.js';
export { LostFiles, sweepRefusedBlobs, sweepUnclaimedBlobs } from './uploads/sweep-blobs.js';
export { UploadService, type PushOrder } from './uploads/upload.service.js';
export { SnapDiagnosisService, type SnapDiagnosis } from './diagnosis/snap-diagnosis.service.js';
