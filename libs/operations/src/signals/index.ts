export {
  GateReportService,
  signGateReport,
  type GateReportOrder,
  type GateReportOutcome,
} from './gate-report.service.js';
export { SignalService, type DeviceProgress, type RolloutHealth } from './signal.service.js';
export { DeviceSignals, type HeardSnap } from './device-signals.js';
export { RolloutCountService } from './rollout-count.service.js';
export { talliesOf, wholeControl, type Counts } from './rollout-counts.js';
export { SignalBuffer } from './signal-buffer.js';
