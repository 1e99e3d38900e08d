import { setupSamples } from './setup-samples.ts';
import { domainSamples } from './domain-samples.ts';
import { federationSamples } from './federation-samples.ts';
import { factorSamples } from './factor-samples.ts';
import { profileSamples } from './profile-samples.ts';
import { samples as signInSamples, type Sample } from './samples.ts';

/** Every page there is but those of the console (`console/every-sample.ts`). A door adds its own list. */
export const samples: Sample[] = [
  ...signInSamples,
  ...profileSamples,
  ...domainSamples,
  ...setupSamples,
  ...factorSamples,
  ...federationSamples,
];
