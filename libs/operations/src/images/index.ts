export {
  ImageCheckService,
  type CheckedSnap,
  type ImageCheck,
  type ImageWish,
} from './image-check.service.js';
export { wantedSnaps, type WantedSnap } from './wanted-snaps.js';
