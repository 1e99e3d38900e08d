import createAccount from './operations/create-account.ts';
import listAccounts from './operations/list-accounts.ts';
import getAccount from './operations/get-account.ts';
import changeAccount from './operations/change-account.ts';
import holdAccount from './operations/hold-account.ts';
import resumeAccount from './operations/resume-account.ts';
import claimDomain from './operations/domain-claim.ts';
import listDomains from './operations/domain-list.ts';
import getDomain from './operations/domain-get.ts';
import verifyDomain from './operations/domain-verify.ts';
import attestDomain from './operations/domain-attest.ts';
import changeDomain from './operations/domain-change.ts';
import releaseDomain from './operations/domain-release.ts';
import domainImpact from './operations/domain-impact.ts';
import approveWaiting from './operations/domain-approve-waiting.ts';
import takeInExisting from './operations/domain-existing-people.ts';
import requestDomainAccess from './operations/domain-request-access.ts';
import requestDomainRelease from './operations/domain-request-release.ts';
import listDomainRequests from './operations/domain-request-list.ts';
import decideDomainRequest from './operations/domain-request-decide.ts';
import endDomainRequest from './operations/domain-request-end.ts';
import announceTransfer from './operations/domain-transfer-announce.ts';
import carryOutTransfer from './operations/domain-transfer-carry-out.ts';
import stopTransfer from './operations/domain-transfer-stop.ts';
import listUsers from './operations/list-users.ts';
import createUser from './operations/create-user.ts';
import getUser from './operations/get-user.ts';
import removeUser from './operations/remove-user.ts';
import addUser from './operations/add-user.ts';
import inviteUser from './operations/invite-user.ts';
import inviteUserAgain from './operations/invite-user-again.ts';
import requestTransfer from './operations/request-transfer.ts';
import createInvitation from './operations/invitation-create.ts';
import listInvitations from './operations/invitation-list.ts';
import resendInvitation from './operations/invitation-resend.ts';
import revokeInvitation from './operations/invitation-revoke.ts';
import listApprovals from './operations/approval-list.ts';
import decideApprovals from './operations/approval-decide.ts';
import explainPerson from './operations/explain-person.ts';
import removedUsers from './operations/removed-users.ts';
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
import accountClose from './operations/account-close.ts';
import accountKeep from './operations/account-keep.ts';
import accountMerge from './operations/account-merge.ts';
import accountSplit from './operations/account-split.ts';
import accountMoveGet from './operations/account-move-get.ts';
import { moveProposalOperations } from './operations/account-move-proposals.ts';
import accountSettingsGet from './operations/account-settings-get.ts';
import accountSettingsChange from './operations/account-settings-change.ts';
import accountHistory from './operations/account-history.ts';
import groupList from './operations/group-list.ts';
import groupCreate from './operations/group-create.ts';
import groupGet from './operations/group-get.ts';
import groupChange from './operations/group-change.ts';
import groupRemove from './operations/group-remove.ts';
import groupMemberList from './operations/group-member-list.ts';
import groupMemberChange from './operations/group-member-change.ts';
import groupManagerChange from './operations/group-manager-change.ts';
import fulfillmentContactList from './operations/fulfillment-contact-list.ts';
import fulfillmentContactSearch from './operations/fulfillment-contact-search.ts';
import fulfillmentContactAdd from './operations/fulfillment-contact-add.ts';
import fulfillmentContactRemove from './operations/fulfillment-contact-remove.ts';
import roleList from './operations/role-list.ts';
import roleListAccount from './operations/role-list-account.ts';
import roleCreate from './operations/role-create.ts';
import roleChange from './operations/role-change.ts';
import roleRemove from './operations/role-remove.ts';
import roleAssign from './operations/role-assign.ts';
import userEntitlement from './operations/user-entitlement.ts';
import erasureList from './operations/erasure-list.ts';
import erasureDecide from './operations/erasure-decide.ts';
import erasureListAll from './operations/erasure-list-all.ts';
import erasureRequest from './operations/erasure-request.ts';
import erasureCancel from './operations/erasure-cancel.ts';
import personExport from './operations/person-export.ts';
import auditVerify from './operations/audit-verify.ts';
import { scimRequestOperations } from './operations/scim-requests.ts';
import { scimTokenOperations } from './operations/scim-tokens.ts';
import { reportOperations } from './operations/reports.ts';
import { samlOperations } from './operations/saml.ts';
import { connectionConflictOperations } from './operations/connection-conflicts.ts';
import { connectionToolOperations } from './operations/connection-tools.ts';
import { traceOperations } from './operations/connection-traces.ts';
import changeUser from './operations/change-user.ts';
import { bulkDownloads, bulkOperations } from './operations/bulk.ts';
import { connectionOperations } from './operations/connections.ts';
import { suppressionOperations } from './operations/mail-suppressions.ts';
import { secondFactorOperations } from './operations/second-factors.ts';
import { webhookOperations } from './operations/webhooks.ts';
import { auditDownloads } from './operations/audit-export.ts';
import type { AnyOperation, Download } from './operation.ts';

/** Everything the API does, in the order of its document. To add one: a file, and a line here. */
export const operations: readonly AnyOperation[] = [
  createAccount,
  listAccounts,
  getAccount,
  changeAccount,
  holdAccount,
  resumeAccount,
  claimDomain,
  listDomains,
  getDomain,
  verifyDomain,
  attestDomain,
  changeDomain,
  releaseDomain,
  domainImpact,
  approveWaiting,
  takeInExisting,
  requestDomainAccess,
  requestDomainRelease,
  listDomainRequests,
  decideDomainRequest,
  endDomainRequest,
  announceTransfer,
  carryOutTransfer,
  stopTransfer,
  listUsers,
  createUser,
  getUser,
  changeUser,
  removeUser,
  addUser,
  inviteUser,
  inviteUserAgain,
  requestTransfer,
  removedUsers,
  restoreUser,
  lockUser,
  unlockUser,
  resetPassword,
  changeRoles,
  listSessions,
  endSession,
  endSessions,
  listInvitations,
  createInvitation,
  resendInvitation,
  revokeInvitation,
  listApprovals,
  decideApprovals,
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
  explainPerson,
  accountClose,
  accountKeep,
  accountMerge,
  accountSplit,
  accountMoveGet,
  ...moveProposalOperations,
  accountSettingsGet,
  accountSettingsChange,
  accountHistory,
  groupList,
  groupCreate,
  groupGet,
  groupChange,
  groupRemove,
  groupMemberList,
  groupMemberChange,
  groupManagerChange,
  fulfillmentContactList,
  fulfillmentContactSearch,
  fulfillmentContactAdd,
  fulfillmentContactRemove,
  roleList,
  roleListAccount,
  roleCreate,
  roleChange,
  roleRemove,
  roleAssign,
  userEntitlement,
  erasureList,
  erasureDecide,
  erasureListAll,
  erasureRequest,
  erasureCancel,
  personExport,
  auditVerify,
  ...samlOperations,
  ...traceOperations,
  ...connectionConflictOperations,
  ...connectionToolOperations,
  ...bulkOperations,
  ...connectionOperations,
  ...secondFactorOperations,
  ...suppressionOperations,
  ...webhookOperations,
  ...scimTokenOperations,
  ...scimRequestOperations,
  ...reportOperations,
];

export const downloads: readonly Download[] = [termsEvidence, ...bulkDownloads, ...auditDownloads];
