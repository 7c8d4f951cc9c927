export { ApprovalSettingsService, type ApprovalSettings } from './approval-settings.service.js';
export { BrakeService, type HoldOrder, type StopOrder } from './brake.service.js';
export { FleetService, type DeviceTags, type FleetOrder } from './fleet.service.js';
export { FloorService, type FloorOrder } from './floor.service.js';
export { LaneService, requireChannel } from './lane.service.js';
export { PinService, type PinOrder } from './pin.service.js';
export {
  PreviewService,
  type PreviewFilter,
  type StoredPreview,
} from './preview/preview.service.js';
export { previewDevice } from './preview/preview-device.js';
export { type PreviewSubject } from './preview/preview-ground.js';
export { LEASE_MARGIN_MS } from './step-waves.js';
export { RolloutProgressService } from './rollout-progress.service.js';
export { RolloutFiguresService, type WaveFigures } from './rollout-figures.service.js';
export { scheduleOf, type ScheduleOrder, type WhenOrder } from './schedule-order.js';
export { ScheduleService, type UpdateSettingsOrder } from './schedule.service.js';
export { pauseOf, type Pause } from './pause.js';
export { type RolloutAct } from './rollout-act.js';
export { RolloutApprovalService } from './rollout-approval.service.js';
export { type CheckedWave, type RolloutCheck } from './rollout-check.js';
export { RolloutControlService } from './rollout-control.service.js';
export { type NeedOrder, type RolloutOrder, type SequenceOrder } from './rollout-order.js';
export { RollbackService, type RollbackOrder } from './rollback.service.js';
export { RolloutService } from './rollout.service.js';
export { StrandedService } from './stranded.service.js';
export { type RolloutView } from './rollout-view.js';
export { waveOf, type HealthOrder, type WaveOrder } from './wave-order.js';
