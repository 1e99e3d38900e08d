import { describe, expect, it } from 'vitest';
import type { Capability } from '#identity/access/rights.ts';
import type { Door } from '../../../src/http/console/room.ts';
import { rooms } from '../../../src/http/console/rooms.ts';
import { downloads, operations } from '../../../src/http/admin/operations.ts';

/**
 * What is done at the console, and by which operation a program does the same. An action that does one
 * of several things names them all.
 */
const same: Record<string, readonly string[]> = {
  '/approvals/approve': ['decideApprovals'],
  '/approvals/reject': ['decideApprovals'],
  '/users/add': ['createUser'],
  '/invitations/new': ['createInvitation'],
  '/users/:userId/add': ['addUser'],
  '/users/:userId/invite': ['inviteUser'],
  '/users/:userId/transfer': ['requestTransfer'],
  '/users/:userId/resend': ['inviteUserAgain'],
  '/invitations/:invitationId/resend': ['resendInvitation'],
  '/invitations/:invitationId/revoke': ['revokeInvitation'],
  '/users/do/lock': ['lockUser'],
  '/users/do/unlock': ['unlockUser'],
  '/users/do/reset': ['resetPassword'],
  '/users/do/invite': ['inviteUserAgain', 'resetPassword'],
  '/users/do/sessions': ['endSessions'],
  '/users/do/roles': ['changeRoles', 'assignRoles'],
  '/users/do/groups': ['changeGroupMembers'],
  '/users/do/country': ['setEntitlementCountry'],
  '/users/do/remove': ['removeUser'],
  '/users/do/restore': ['restoreUser'],
  '/users/:userId/sessions': ['endSession'],
  '/users/:userId/change': ['changeUser'],
  '/users/:userId/allow-mail': ['allowMailToUser'],
  '/groups/new': ['createGroup'],
  '/groups/:groupId/change': ['changeGroup'],
  '/groups/:groupId/remove': ['removeGroup'],
  '/groups/:groupId/members': ['changeGroupMembers'],
  '/groups/:groupId/managers': ['changeGroupManagers'],
  '/roles/new': ['createRole'],
  '/roles/:key/change': ['changeRole'],
  '/roles/:key/remove': ['removeRole'],
  '/contacts': ['addFulfillmentContact'],
  '/contacts/:contactId/remove': ['removeFulfillmentContact'],
  '/erasures/:requestId/approve': ['decideErasure'],
  '/erasures/:requestId/refuse': ['decideErasure'],
  '/bulk/new': ['uploadBulk'],
  '/bulk/:jobId/apply': ['applyBulk'],
  '/bulk/:jobId/cancel': ['cancelBulk'],
  // The file that puts things back is uploaded as any other.
  '/bulk/:jobId/undo': ['uploadBulk'],
  '/accounts/new': ['createAccount'],
  '/organization/hold': ['holdAccount'],
  '/organization/resume': ['resumeAccount'],
  '/organization/keep': ['keepAccount'],
  '/organization/close': ['closeAccount'],
  '/organization/merge': ['mergeAccount'],
  '/organization/merge/propose': ['mergeAccount'],
  '/organization/split': ['splitAccount'],
  '/organization/split/propose': ['splitAccount'],
  '/moves/proposals/:proposalId/confirm': ['confirmAccountMove'],
  '/moves/proposals/:proposalId/withdraw': ['withdrawAccountMove'],
  '/domains/claim': ['claimDomain'],
  '/domains/:domain/verify': ['verifyDomain'],
  '/domains/:domain/sign-up': ['changeDomain'],
  '/domains/:domain/approve-waiting': ['approveWaiting'],
  '/domains/:domain/take-in': ['takeInExistingPeople'],
  '/domains/:domain/subdomains': ['changeDomain'],
  '/domains/:domain/release': ['releaseDomain'],
  '/domains/:domain/request': ['requestDomainAccess', 'requestDomainRelease'],
  '/domain-requests/:requestId/grant': ['decideDomainRequest'],
  '/domain-requests/:requestId/refuse': ['decideDomainRequest'],
  '/domain-requests/:requestId/end': ['endDomainRequest'],
  '/domains/:domain/operator': [
    'attestDomain',
    'announceDomainTransfer',
    'carryOutDomainTransfer',
    'stopDomainTransfer',
  ],
  '/connections/new': ['createConnection'],
  '/connections/conflicts/:conflictId/close': ['closeConnectionConflict'],
  '/connections/:connectionId/set-up': [
    'changeConnection',
    'readSamlMetadata',
    'changeSamlSettings',
    'acceptSamlCertificate',
    'removeSamlCertificate',
  ],
  '/connections/:connectionId/sign-out': ['changeConnection'],
  '/connections/:connectionId/keys': ['addConnectionSecret'],
  '/connections/:connectionId/settings': ['changeConnection'],
  '/connections/:connectionId/mapping': ['changeConnection'],
  '/connections/:connectionId/saml/metadata': ['readSamlMetadata'],
  '/connections/:connectionId/saml/stop-reading': ['changeSamlSettings'],
  '/connections/:connectionId/saml/naming': ['changeSamlSettings'],
  '/connections/:connectionId/saml/certificates/accept': ['acceptSamlCertificate'],
  '/connections/:connectionId/saml/certificates/remove': ['removeSamlCertificate'],
  '/connections/:connectionId/saml/certificates/add': ['acceptSamlCertificate'],
  '/connections/:connectionId/saml/keys': ['addSamlKey'],
  '/connections/:connectionId/saml/keys/:keyId/revoke': ['revokeSamlKey'],
  '/connections/:connectionId/people/:linkId/unlink': ['removeConnectionLink'],
  '/connections/:connectionId/test': ['testConnection'],
  '/connections/:connectionId/activate': ['activateConnection'],
  '/connections/:connectionId/enforce': ['changeConnection'],
  '/connections/:connectionId/relax': ['changeConnection'],
  '/connections/:connectionId/disable': ['disableConnection'],
  '/connections/:connectionId/remove': ['removeConnection'],
  '/connections/:connectionId/secrets': ['addConnectionSecret'],
  '/connections/:connectionId/secrets/:secretId/revoke': ['revokeConnectionSecret'],
  '/connections/:connectionId/links': ['createSetupLink'],
  '/connections/:connectionId/links/:linkId/revoke': ['revokeSetupLink'],
  '/connections/:connectionId/simulate': ['simulateSignIn'],
  '/scim/new': ['createScimToken'],
  '/scim/requests/:requestId/replay': ['replayScimRequest'],
  '/scim/:tokenId': ['changeScimToken'],
  '/scim/:tokenId/hold': ['decideScimHold'],
  '/scim/:tokenId/revoke': ['revokeScimToken'],
  '/settings': ['changeAccount', 'changeSettings'],
  '/api-tokens/new': ['createAccountToken'],
  '/api-tokens/:tokenId/revoke': ['revokeAccountToken'],
  ...webhooks('', 'Webhook'),
  '/second-factors/policy': ['changeSettings'],
  '/second-factors/domain': ['requireDomainSecondFactor'],
  '/users/:userId/second-factors/reset': ['resetSecondFactors'],
  '/users/:userId/second-factors/remove': ['removeSecondFactor'],
  '/users/:userId/second-factors/require': ['requireSecondFactor'],
  '/users/:userId/second-factors/break-glass': ['setBreakGlass'],
  '/installation/clients/new': ['createClient'],
  '/installation/clients/:client': ['changeClient'],
  '/installation/clients/:client/disable': ['changeClient'],
  '/installation/clients/:client/enable': ['changeClient'],
  '/installation/clients/:client/secrets': ['addSecret'],
  '/installation/clients/:client/secrets/:secretId/revoke': ['revokeSecret'],
  '/installation/clients/:client/remove': ['removeClient'],
  '/installation/resources': ['createResourceServer'],
  '/installation/resources/remove': ['removeResourceServer'],
  '/installation/terms/preview': ['previewTerms'],
  '/installation/terms/publish': ['publishTerms'],
  '/installation/keys/rotate': ['rotateKeys'],
  '/installation/api-tokens/new': ['createOperatorToken'],
  '/installation/api-tokens/:tokenId/revoke': ['revokeOperatorToken'],
  ...webhooks('/installation', 'InstallationWebhook'),
};

function webhooks(path: string, kind: string): Record<string, readonly string[]> {
  const one = `${path}/webhooks/:webhookId`;
  return {
    [`${path}/webhooks/new`]: [`create${kind}`],
    [one]: [`change${kind}`],
    [`${one}/pause`]: [`change${kind}`],
    [`${one}/resume`]: [`change${kind}`],
    [`${one}/test`]: [`test${kind}`],
    [`${one}/rotate`]: [`rotate${kind}Secret`],
    [`${one}/replay`]: [`replay${kind}`],
    [`${one}/deliveries/:deliveryId/redeliver`]: [`decide${kind}Delivery`],
    [`${one}/deliveries/:deliveryId/skip`]: [`decide${kind}Delivery`],
    [`${one}/remove`]: [`remove${kind}`],
  };
}

/** What changes nothing but what this browser looks at. */
const ofTheConsoleAlone = ['/acting'];

/** What only programs do, and why. */
const ofProgramsAlone: Record<string, string> = {
  reEvaluateConnection: 'done by itself when a connection changes; for support',
  reportBounce: 'a mail server says it',
  allowAddress: 'the console allows it on the page of the person',
  requestErasure: 'people ask for it on their profile; an operator for them by ticket',
  cancelErasure: 'as requestErasure',
};

/** Where the right differs, and why. */
const otherRight: Record<string, Capability> = {
  // Those who care for a group do so at the console; no token has their role.
  '/groups/:groupId/members': 'groups:own_members',
  // Who was added and never came is sent the mail of the invitation again: to set a password.
  '/users/do/invite': 'users:add',
  // One page for all that operators alone do with a domain.
  '/domains/:domain/operator': 'domains:attest',
};

const posts = new Map<string, Capability>();
const gets = new Map<string, Capability>();
const door: Door = {
  get: (path, right) => void gets.set(path, right),
  post: (path, right) => void posts.set(path, right),
};
for (const room of rooms) room.open(door);
const known = new Map([...operations, ...downloads].map((one) => [one.id, one]));

describe('whatever is done at the console', () => {
  it('is an operation of the API', () => {
    const actions = [...posts.keys()].filter((path) => !ofTheConsoleAlone.includes(path));
    expect(Object.keys(same).sort()).toEqual(actions.sort());
    const named = Object.values(same).flat();
    expect(named.filter((id) => !known.has(id))).toEqual([]);
  });

  it('needs the right that the operation needs', () => {
    const differing = [...posts].filter(
      ([path, right]) =>
        (otherRight[path] ?? right) !== right ||
        (same[path] ?? []).some((id) => known.get(id)!.right !== right && !(path in otherRight)),
    );
    expect(differing).toEqual([]);
  });

  it('is all that the API can change, but for what a program alone has reason to', () => {
    const named = new Set(Object.values(same).flat());
    const changing = operations.filter(({ method }) => method !== 'get').map(({ id }) => id);
    expect(changing.filter((id) => !named.has(id)).sort()).toEqual(
      Object.keys(ofProgramsAlone).sort(),
    );
  });
});
