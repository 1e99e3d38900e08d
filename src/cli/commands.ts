import type { Command } from './command.ts';
import { accountCommands } from './commands/account.ts';
import { accountLifeCommands } from './commands/account-life.ts';
import { apiTokenCommands } from './commands/api-token.ts';
import { approvalCommands } from './commands/approval.ts';
import { auditCommands } from './commands/audit.ts';
import { backupCommands } from './commands/backup.ts';
import { bulkCommands } from './commands/bulk.ts';
import { clientCommands } from './commands/client.ts';
import { connectionCommands } from './commands/connection.ts';
import { connectionToolCommands } from './commands/connection-tools.ts';
import { contactCommands } from './commands/contact.ts';
import { doctorCommands } from './commands/doctor.ts';
import { domainCommands } from './commands/domain.ts';
import { domainTransferCommands } from './commands/domain-transfer.ts';
import { erasureCommands } from './commands/erasure.ts';
import { explainCommands } from './commands/explain.ts';
import { groupCommands } from './commands/group.ts';
import { installationCommands } from './commands/installation.ts';
import { invitationCommands } from './commands/invitation.ts';
import { keysCommands } from './commands/keys.ts';
import { mailCommands } from './commands/mail.ts';
import { resourceCommands } from './commands/resource.ts';
import { roleCommands } from './commands/role.ts';
import { scimTokenCommands } from './commands/scim-token.ts';
import { secondFactorCommands } from './commands/second-factor.ts';
import { termsCommands } from './commands/terms.ts';
import { userCommands } from './commands/user.ts';
import { webhookCommands } from './commands/webhook.ts';

/** Everything `ostiary` does, in the order of its help. To add one: an entry in a file of its noun. */
export const commands: readonly Command[] = [
  ...installationCommands,
  ...doctorCommands,
  ...backupCommands,
  ...keysCommands,
  ...explainCommands,
  ...accountCommands,
  ...accountLifeCommands,
  ...domainCommands,
  ...connectionCommands,
  ...connectionToolCommands,
  ...domainTransferCommands,
  ...userCommands,
  ...bulkCommands,
  ...erasureCommands,
  ...secondFactorCommands,
  ...mailCommands,
  ...invitationCommands,
  ...approvalCommands,
  ...groupCommands,
  ...roleCommands,
  ...contactCommands,
  ...clientCommands,
  ...resourceCommands,
  ...termsCommands,
  ...webhookCommands,
  ...apiTokenCommands,
  ...scimTokenCommands,
  ...auditCommands,
];
