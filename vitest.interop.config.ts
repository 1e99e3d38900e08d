import { defineConfig } from 'vitest/config';
import base from './vitest.config.ts';

/** `npm run test:interop`: against software that nobody here wrote, and that is installed for it. */
export default defineConfig({
  test: {
    ...base.test,
    include: ['test/interop/*.interop.ts'],
    maxWorkers: 1,
    testTimeout: 120_000,
  },
});
