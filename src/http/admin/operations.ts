import createAccount from './operations/create-account.ts';
import listAccounts from './operations/list-accounts.ts';
import getAccount from './operations/get-account.ts';
import changeAccount from './operations/change-account.ts';
import holdAccount from './operations/hold-account.ts';
import resumeAccount from './operations/resume-account.ts';
import listDomains from './operations/list-domains.ts';
import attestDomain from './operations/attest-domain.ts';
import listUsers from './operations/list-users.ts';
import createUser from './operations/create-user.ts';
import getUser from './operations/get-user.ts';
import removeUser from './operations/remove-user.ts';
import addUser from './operations/add-user.ts';
import restoreUser from './operations/restore-user.ts';
import lockUser from './operations/lock-user.ts';
import unlockUser from './operations/unlock-user.ts';
import resetPassword from './operations/reset-password.ts';
import changeRoles from './operations/change-roles.ts';
import listSessions from './operations/list-sessions.ts';
import endSession from './operations/end-session.ts';
import endSessions from './operations/end-sessions.ts';
import listAccountTokens from './operations/list-account-tokens.ts';
import createAccountToken from './operations/create-account-token.ts';
import revokeAccountToken from './operations/revoke-account-token.ts';
import listAccountEvents from './operations/list-account-events.ts';
import createClient from './operations/create-client.ts';
import listClients from './operations/list-clients.ts';
import getClient from './operations/get-client.ts';
import changeClient from './operations/change-client.ts';
import removeClient from './operations/remove-client.ts';
import listSecrets from './operations/list-secrets.ts';
import addSecret from './operations/add-secret.ts';
import revokeSecret from './operations/revoke-secret.ts';
import createResource from './operations/create-resource.ts';
import listResources from './operations/list-resources.ts';
import removeResource from './operations/remove-resource.ts';
import publishTerms from './operations/publish-terms.ts';
import listTerms from './operations/list-terms.ts';
import getTerms from './operations/get-terms.ts';
import listOperatorTokens from './operations/list-operator-tokens.ts';
import createOperatorToken from './operations/create-operator-token.ts';
import revokeOperatorToken from './operations/revoke-operator-token.ts';
import getToken from './operations/get-token.ts';
import listKeys from './operations/list-keys.ts';
import rotateKeys from './operations/rotate-keys.ts';
import listEvents from './operations/list-events.ts';
import termsEvidence from './operations/terms-evidence.ts';
import type { AnyOperation, Download } from './operation.ts';

/** Everything the API does, in the order of its document. To add one: a file, and a line here. */
export const operations: readonly AnyOperation[] = [
  createAccount,
  listAccounts,
  getAccount,
  changeAccount,
  holdAccount,
  resumeAccount,
  listDomains,
  attestDomain,
  listUsers,
  createUser,
  getUser,
  removeUser,
  addUser,
  restoreUser,
  lockUser,
  unlockUser,
  resetPassword,
  changeRoles,
  listSessions,
  endSession,
  endSessions,
  listAccountTokens,
  createAccountToken,
  revokeAccountToken,
  listAccountEvents,
  createClient,
  listClients,
  getClient,
  changeClient,
  removeClient,
  listSecrets,
  addSecret,
  revokeSecret,
  createResource,
  listResources,
  removeResource,
  publishTerms,
  listTerms,
  getTerms,
  listOperatorTokens,
  createOperatorToken,
  revokeOperatorToken,
  getToken,
  listKeys,
  rotateKeys,
  listEvents,
];

export const downloads: readonly Download[] = [termsEvidence];
