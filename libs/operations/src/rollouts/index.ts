export { BrakeService, type HoldOrder, type PinOrder, type StopOrder } from './brake.service.js';
export { FleetService, type DeviceTags, type FleetOrder } from './fleet.service.js';
export { LaneService, requireChannel } from './lane.service.js';
export { LEASE_MARGIN_MS, RolloutProgressService } from './rollout-progress.service.js';
export { type RolloutOrder, type WaveOrder } from './rollout-order.js';
export { scheduleOf, type ScheduleOrder, type WhenOrder } from './schedule-order.js';
export { ScheduleService, type UpdateSettingsOrder } from './schedule.service.js';
export { RolloutService, type RolloutAct } from './rollout.service.js';
export { type RolloutView } from './rollout-view.js';
