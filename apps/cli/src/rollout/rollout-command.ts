import { Command } from 'commander';
import type { Io } from '../io.js';
import type { BrandOptions } from '../session/connect.js';
import { brandCommand } from '../store-command.js';
import { approveCommand } from './approve.js';
import { check } from './check-plan.js';
import { listCommand } from './list.js';
import { resumeCommand } from './resume.js';
import { schemaCommand } from './schema.js';
import { statusCommand } from './status.js';
import { steerCommands } from './steer.js';
import { submitCommand } from './submit.js';

const epilogue = `
A plan is a file in your git: docs/samples/rollout-plan.yaml. Editors complete it by the schema that its first line names.
  brandstore rollout plan.yaml --dry-run    what would become of it
  brandstore rollout submit plan.yaml       ask for approval
  brandstore rollout approve plan.yaml      somebody else says yes to exactly that
  brandstore rollout status plan.yaml --watch`;

/** `brandstore rollout …` (update-control.md 2.5): the plan, and the acts on what became of it. */
export function rolloutCommand(io: Io): Command {
  const command = new Command('rollout')
    .description('plan, approve, watch and stop rollouts')
    .addHelpText('after', epilogue)
    .addCommand(checkCommand(io), { isDefault: true });
  for (const child of [submitCommand(io), approveCommand(io), statusCommand(io), listCommand(io)])
    command.addCommand(child);
  for (const child of [...steerCommands(io), resumeCommand(io)]) command.addCommand(child);
  return command.addCommand(schemaCommand(io));
}

/** Also what `brandstore rollout plan.yaml --dry-run` runs. */
const checkCommand = (io: Io): Command =>
  brandCommand('check')
    .description('what would become of a plan; the same as: rollout <plan> --dry-run')
    .argument('<plan>', 'plan file')
    .option('--dry-run', 'as it always is')
    .action((file: string, options: BrandOptions) => check(io, file, options));
