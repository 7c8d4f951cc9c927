export { APP_NAMES, type AppName } from './apps.js';
export {
  forgetDatabase,
  startInstallation,
  type Installation,
  type InstallationOptions,
} from './installation.js';
export { type Ports } from './ports.js';
