import type { Context } from 'koa';
import { breakGlassUsed } from '#identity/credentials/break-glass.ts';
import { acrs, amrOf, levelOf } from '#identity/sign-in/assurance.ts';
import type { PartialProof } from '#identity/sign-in/proof.ts';
import {
  forgiveGuesses,
  isFactorRemembered,
  refused,
  signedIn,
} from '#identity/sign-in/signed-in.ts';
import type { Person } from '#identity/users/person.ts';
import { endSession } from '#identity/users/sessions.ts';
import { unitOfWork } from '#identity/work.ts';
import { originOf } from '../context.ts';
import type { DeviceCookie } from '../device-cookie.ts';
import type { Interaction } from '../interactions.ts';
import type { Desk } from './desk.ts';
import { showRefusal } from '../refused.ts';

/** What else is known of a proof when it was given. */
export interface ProofDetails {
  /** The counters of wrong guesses that a right one clears. */
  buckets?: readonly string[];
  /** They asked not to be asked for a second factor in this browser for a while. */
  rememberFactor?: boolean;
}

export interface Proved {
  /**
   * A person proved something: they are signed in, asked for more, or told why they may not be. Of an
   * address that was never proved nothing is told; `unproved` shows what a wrong password would.
   */
  proved(
    ctx: Context,
    interaction: Interaction,
    person: Person,
    proof: PartialProof,
    details?: ProofDetails & { unproved?: () => void },
  ): Promise<void>;
}

export function provedAt(desk: Desk, device: DeviceCookie): Proved {
  const { foundation, interactions, csrf, secondFactor } = desk;
  const { clock } = foundation;

  return {
    async proved(ctx, interaction, person, given, details = {}) {
      const { buckets = [], unproved } = details;
      const proof = await withKnownDevice(interaction, person, given);
      const step = desk.step(interaction, { person, proof });
      switch (step.step) {
        case 'verify':
          if (unproved) return unproved();
          return desk.back(ctx, interaction);
        case 'second_factor':
        case 'enrol':
          await forgiveGuesses(foundation, buckets);
          await interactions.keep(interaction, proof);
          return desk.back(ctx, interaction);
        case 'refused':
          if (step.denial.reason !== 'locked') break;
          await refused(foundation, {
            userId: person.id,
            accountId: person.account?.id ?? null,
            buckets,
            clientId: interaction.client?.id ?? null,
            lock: step.denial.lock,
            origin: originOf(ctx),
          });
          return showRefusal(ctx, { foundation, csrf }, interaction, person, step.denial);
        default:
      }
      await finish(ctx, interaction, person, proof, details);
    },
  };

  /** A second factor that was shown in this browser lately, and was to be remembered, counts. */
  async function withKnownDevice(
    { prompt }: Interaction,
    person: Person,
    proof: PartialProof,
  ): Promise<PartialProof> {
    const { rememberDays } = secondFactor;
    if (rememberDays === 0 || proof.deviceId === null || levelOf(proof.methods) !== 'password')
      return proof;
    if (!person.secondFactor.enrolled) return proof;
    // Who is to prove anew who they are proves all of it.
    if (!prompt.reasons.every((reason) => routine.has(reason))) return proof;
    return (await isFactorRemembered(foundation, person.id, proof.deviceId, rememberDays))
      ? { ...proof, methods: [...proof.methods, 'known_device'] }
      : proof;
  }

  async function finish(
    ctx: Context,
    interaction: Interaction,
    person: Person,
    { methods, deviceId, remember, signedInAt, breakGlass = false, upstream }: PartialProof,
    { buckets = [], rememberFactor = false }: ProofDetails,
  ): Promise<void> {
    const origin = originOf(ctx);
    const actor = { type: 'user', id: person.id } as const;
    const entry = signedIn(foundation, {
      userId: person.id,
      accountId: person.account?.id ?? null,
      buckets,
      clientId: interaction.client?.id ?? null,
      origin,
      deviceId,
      methods,
      connection: upstream?.federation.connection ?? null,
      rememberFactor: rememberFactor && secondFactor.rememberDays > 0,
    });
    if (breakGlass)
      await unitOfWork(foundation, { actor, origin }, (work) => breakGlassUsed(work, person));

    // Somebody else was signed in in this browser: their session ends here.
    const other = interaction.person && interaction.person.id !== person.id;
    if (other && interaction.sessionUid !== null)
      await unitOfWork(foundation, { actor, origin }, (work) =>
        endSession(work, interaction.sessionUid!, 'another person signed in'),
      );
    const isIn = await interactions.signIn(ctx, interaction, {
      person,
      login: {
        accountId: person.id,
        acr: acrs[levelOf(methods)],
        amr: [...new Set([...(upstream?.amr ?? []), ...amrOf(methods)])],
        remember,
        ts: signedInAt ?? upstream?.authTime ?? Math.floor(clock().getTime() / 1000),
        ...(upstream && { federation: upstream.federation }),
      },
      entry,
      forgetSession: other ?? false,
    });
    if (isIn && entry.secret !== null) device.write(ctx, entry.secret);
  }
}

/** Reasons to sign in that ask for nothing fresh. */
const routine = new Set(['no_session', 'session_too_old', 'second_factor_missing']);
