/** From the laxest to the strictest (behaviour.md F28). */
export const secondFactorPolicies = ['off', 'optional', 'admins', 'all'] as const;

/**
 * Who has to have a second factor.
 *
 *     off       nobody, and nobody may add one
 *     optional  who wants to
 *     admins    who has rights over others
 *     all       everybody
 */
export type SecondFactorPolicy = (typeof secondFactorPolicies)[number];
