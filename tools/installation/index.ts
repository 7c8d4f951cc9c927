export { APP_NAMES, type AppName } from './apps.js';
export { makeSeed, type InstallationOptions, type Seed } from './ground.js';
export { forgetDatabase, startInstallation, type Installation } from './installation.js';
export { type Ports } from './ports.js';
