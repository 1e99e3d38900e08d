/** Why a SAML document was not believed. For administrators and traces: a person is told less. */
export type SamlProblem =
  | 'too_large'
  | 'encoding'
  | 'markup'
  | 'too_complex'
  | 'malformed'
  | 'structure'
  | 'unsigned'
  | 'algorithm'
  | 'signature'
  | 'decryption'
  | 'issuer'
  | 'status'
  | 'destination'
  | 'confirmation'
  | 'recipient'
  | 'in_response_to'
  | 'conditions'
  | 'audience'
  | 'expired'
  | 'not_yet_valid'
  | 'session'
  | 'subject'
  | 'certificate'
  | 'deadline'
  | 'busy';

/** A SAML document that is not believed. What it says is cut short, and safe to log. */
export class SamlRefused extends Error {
  override readonly name = 'SamlRefused';
  readonly code: SamlProblem;

  constructor(code: SamlProblem, message: string) {
    super(message.slice(0, 300).toWellFormed());
    this.code = code;
  }
}
