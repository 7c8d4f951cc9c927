import { Command } from 'commander';
import type { Io } from '../io.js';
import { lintCommand } from './lint.js';

/** `brandstore model …`. */
export const modelCommand = (io: Io): Command =>
  new Command('model').description('models: what a device consists of').addCommand(lintCommand(io));
