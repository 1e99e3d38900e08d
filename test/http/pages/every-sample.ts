import { connectionSamples } from './connection-samples.ts';
import { setupSamples } from './setup-samples.ts';
import { domainSamples } from './domain-samples.ts';
import { federationSamples } from './federation-samples.ts';
import { factorSamples } from './factor-samples.ts';
import { profileSamples } from './profile-samples.ts';
import { samples as signInSamples, type Sample } from './samples.ts';

/** Every page there is. A door adds its own list here. */
export const samples: Sample[] = [
  ...signInSamples,
  ...profileSamples,
  ...domainSamples,
  ...setupSamples,
  ...connectionSamples,
  ...factorSamples,
  ...federationSamples,
];
