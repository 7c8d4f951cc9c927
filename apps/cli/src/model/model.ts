import { Command } from 'commander';
import type { Io } from '../io.js';
import { lintCommand } from './lint.js';
import { registryCommands } from './registry.js';
import { standardModelCommands } from './standard.js';

/** `brandstore model …`. */
export function modelCommand(io: Io): Command {
  const command = new Command('model').description('models: what a device consists of');
  for (const one of [lintCommand(io), ...registryCommands(io), ...standardModelCommands(io)])
    command.addCommand(one);
  return command;
}
