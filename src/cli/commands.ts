import type { Command } from './command.ts';
import { accountCommands } from './commands/account.ts';
import { apiTokenCommands } from './commands/api-token.ts';
import { auditCommands } from './commands/audit.ts';
import { clientCommands } from './commands/client.ts';
import { doctorCommands } from './commands/doctor.ts';
import { installationCommands } from './commands/installation.ts';
import { keysCommands } from './commands/keys.ts';
import { resourceCommands } from './commands/resource.ts';
import { termsCommands } from './commands/terms.ts';
import { userCommands } from './commands/user.ts';

/** Everything `ostiary` does, in the order of its help. To add one: an entry in a file of its noun. */
export const commands: readonly Command[] = [
  ...installationCommands,
  ...doctorCommands,
  ...keysCommands,
  ...accountCommands,
  ...userCommands,
  ...clientCommands,
  ...resourceCommands,
  ...termsCommands,
  ...apiTokenCommands,
  ...auditCommands,
];
