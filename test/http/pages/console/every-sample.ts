import { connectionSamples } from './connection-samples.ts';
import type { Sample } from '../samples.ts';
import { installationSamples } from './installation-samples.ts';
import { organizationSamples } from './organization-samples.ts';
import { peopleSamples } from './people-samples.ts';

/** Every page of the console: full, empty, refused, and with words that break nowhere. */
export const consoleSamples: Sample[] = [
  ...peopleSamples,
  ...organizationSamples,
  ...connectionSamples,
  ...installationSamples,
];
