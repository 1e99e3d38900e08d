/** What each claim says, in a few words. */
export const claimMeanings: Readonly<Record<string, string>> = {
  iss: 'Who issued this: the identity provider.',
  sub: 'Who signed in. It never changes and is never given to somebody else: keep people by it.',
  aud: 'Whom it is for. Anybody else has to refuse it.',
  azp: 'The application it was issued to.',
  client_id: 'The application it was issued to.',
  exp: 'No good after this.',
  iat: 'When it was issued.',
  nbf: 'No good before this.',
  jti: 'The name of this one token.',
  auth_time: 'When the person last proved who they are.',
  nonce: 'What this application sent along: the answer belongs to its question.',
  acr: 'How strong the proof was.',
  amr: 'What the proof was made of: pwd is a password.',
  sid: 'The session at the identity provider. A logout token names it.',
  at_hash: 'Binds the access token to this ID token.',
  session_expiry: 'When the session ends, whatever happens.',
  scope: 'What the token permits.',
  token_type: 'How the token is used.',
  active: 'Whether the token is alive, and its person may still come in.',
  cnf: 'The key that the sender has to prove.',
  name: 'The name to show.',
  given_name: 'First name.',
  family_name: 'Last name.',
  preferred_username: 'What the person calls themselves here.',
  locale: 'The language of their choice.',
  updated_at: 'When any of this last changed.',
  email: 'Where mail reaches them. It may change: never keep people by it.',
  email_verified: 'Whether they have shown that the address is theirs.',
  phone_number: 'Telephone.',
  phone_number_verified: 'Whether the number was shown to be theirs.',
  address: 'Where they are.',
  org: 'The organization they belong to, by its id.',
  org_name: 'The name of the organization.',
  org_number: 'The number of the organization.',
  org_status: 'Whether the organization is active or on hold.',
  ultimate_site: 'The number of the organization, under its older name.',
  usage_country_iso: 'The country their use is counted for.',
  roles: 'What they may do in their organization.',
  groups: 'The groups they are in.',
  groups_overage: 'They are in too many groups for a token: ask elsewhere.',
};

/** What each field of a JWT's header says. */
export const headerMeanings: Readonly<Record<string, string>> = {
  alg: 'How it is signed. The application decides which ways it takes.',
  kid: 'The key it is signed with, found at jwks_uri.',
  typ: 'What kind of token it is.',
};

/** What an error means for whoever reads it here (RFC 6749, RFC 6750, OpenID Connect Core 1.0). */
export const errorMeanings: Readonly<Record<string, string>> = {
  access_denied: 'The person declined, or may not sign in to this application.',
  login_required:
    'Nobody is signed in at the identity provider, and prompt=none forbids to ask. An application sends the person to a sign-in with a page.',
  interaction_required:
    'Something has to be shown first, such as new terms, and prompt=none forbids it.',
  consent_required: 'The person has not agreed to this application yet.',
  account_selection_required: 'The person has to choose an account first.',
  unmet_authentication_requirements:
    'The strength of proof that acr_values asks for cannot be reached.',
  invalid_request: 'A parameter is missing or wrong.',
  invalid_scope: 'A scope is unknown, or not for this application.',
  invalid_target: 'The resource is unknown, or not for this application.',
  invalid_client: 'The identity provider does not know this application, or its secret is wrong.',
  invalid_grant:
    'The code or refresh token is spent, expired or revoked, or its person may no longer come in.',
  invalid_token: 'The access token is expired, revoked or for somebody else.',
  insufficient_scope: 'The access token does not permit this.',
  unauthorized_client: 'The application may not do this.',
  unsupported_grant_type: 'The identity provider does not speak this grant.',
  server_error: 'The identity provider failed. Its log says why.',
  temporarily_unavailable: 'The identity provider is busy. Try again in a moment.',
};
