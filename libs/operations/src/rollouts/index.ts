export { BrakeService, type HoldOrder, type PinOrder, type StopOrder } from './brake.service.js';
export { FleetService, type DeviceTags, type FleetOrder } from './fleet.service.js';
export { LaneService, requireChannel } from './lane.service.js';
