import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What waits for browsers and for other processes takes long, whatever the size of its file. */
const long = /browser\.test|\/stories\/acme|\/platform\/durability|\/cli\/installation|\/bench\//;

/**
 * In a fresh checkout nobody knows yet how long a file takes, and the largest begin. Here those begin
 * that take longest, so that at the end no worker is left alone with one.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return [
      ...sorted.filter(({ moduleId }) => long.test(moduleId)),
      ...sorted.filter(({ moduleId }) => !long.test(moduleId)),
    ];
  }
}
