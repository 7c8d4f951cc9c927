export { DeviceSignals, type HeardSnap } from './device-signals.js';
export { RolloutCountService } from './rollout-count.service.js';
export { talliesOf, wholeControl, type Counts } from './rollout-counts.js';
export { SignalBuffer } from './signal-buffer.js';
