import type { Foundation } from '../work.ts';
import { carryOutRegistration } from '../belonging/register.ts';
import type { RegistrationTask } from '../belonging/registration-task.ts';
import { carryOutThrottled, type ThrottledSignIn } from './check-password.ts';
import { carryOutReset, type ResetRequest } from './password.ts';

/** What a request leaves to be done after its answer, so that the answer tells nothing by its time. */
export type Task = ResetRequest | RegistrationTask | ThrottledSignIn;

export async function carryOut(foundation: Foundation, task: Task): Promise<void> {
  switch (task.task) {
    case 'password_reset':
      return carryOutReset(foundation, task);
    case 'registration':
      return carryOutRegistration(foundation, task);
    case 'sign_in_throttled':
      return carryOutThrottled(foundation, task);
  }
}
