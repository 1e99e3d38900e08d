import type { ConnectionInput } from '#identity/federation/manage.ts';
import { Refusal } from '#identity/refusal.ts';
import { canonicalDomain } from '#identity/users/email.ts';
import { egress, EgressRefused, type EgressAllowance } from '#platform/egress.ts';

/**
 * Addresses as they will be used. Where a name leads is looked at again each time.
 *
 * @throws {Refusal} `invalid_domain`, `invalid_value`
 */
export function checkedConnection<Input extends ConnectionInput>(
  allowance: EgressAllowance,
  input: Input,
): Input {
  const domains = input.domains?.map((domain) => {
    const name = canonicalDomain(domain);
    if (name === null) throw new Refusal('invalid_domain', { domain });
    return name;
  });
  if (input.issuer !== undefined)
    try {
      egress(allowance).check(input.issuer);
    } catch (error) {
      if (error instanceof EgressRefused)
        throw new Refusal('invalid_value', { issuer: error.message });
      throw error;
    }
  return { ...input, ...(domains && { domains }) };
}
