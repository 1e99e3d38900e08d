import type { Context } from 'koa';
import { keepAssertion } from '#identity/federation/attempt.ts';
import type { Arrival, FederatedResult } from '#identity/federation/arrival.ts';
import { signInFederated } from '#identity/federation/sign-in.ts';
import { isOwnAcr } from '#identity/sign-in/assurance.ts';
import { findPerson } from '#identity/users/person.ts';
import { endSession } from '#identity/users/sessions.ts';
import { unitOfWork } from '#identity/work.ts';
import { originOf } from '../context.ts';
import type { PersonErrors, PersonFields } from '../pages/register.ts';
import { checkOldPassword, showAsk, showStepUp, type Waiting } from './ask.ts';
import type { TurnBack } from './turn-back.ts';
import { addressOf, type Way } from './way.ts';

/** What a person added to what their provider says. */
export interface Given {
  values?: PersonFields;
  errors?: PersonErrors;
  /** The password they had here, and a code where they are asked for one. */
  password?: string;
  code?: string;
  /** They look at the page of the attempt: what is asked is shown here, and not by a redirect. */
  shown?: boolean;
}

export type Decide = (ctx: Context, waiting: Waiting, given?: Given) => Promise<void>;

/** Whoever is proved comes in, is asked for something, or is told why they do not. */
export function entering(way: Way, { refuse }: TurnBack): Decide {
  const { foundation, interactions, acr, ceiling } = way;
  const { database, vault, clock } = foundation;

  return async function decide(
    ctx,
    waiting,
    { values, errors = {}, password, code = '', shown = false } = {},
  ) {
    const { interaction, attempt, assertion } = waiting;
    const arrival: Arrival = {
      attempt,
      assertion,
      clientId: interaction.client?.id ?? null,
      origin: originOf(ctx),
      ...(values && { filledIn: goodOnes(values, errors) }),
    };
    if (password !== undefined) {
      const proof = await checkOldPassword(way, ctx, waiting, password, code);
      if (proof !== 'right') return showStepUp(way, ctx, waiting, proof);
      arrival.steppedUp = true;
    }
    const result = await signInFederated({ foundation, ceiling }, arrival);
    switch (result.outcome) {
      case 'signed_in':
        return enter(ctx, waiting, result);
      case 'ask':
        await keepAssertion(database, vault, attempt, assertion, 'attributes');
        if (!shown && !values) return onward(ctx, waiting);
        return showAsk(way, ctx, waiting, result.missing, values, errors);
      case 'step_up':
        await keepAssertion(database, vault, attempt, assertion, 'step_up');
        if (!shown) return onward(ctx, waiting);
        return showStepUp(way, ctx, waiting);
      case 'refused':
        return refuse(ctx, interaction, attempt, assertion, result);
    }
  };

  function onward(ctx: Context, { interaction, attempt }: Waiting): void {
    ctx.status = 303;
    ctx.redirect(addressOf(interaction, attempt));
  }

  async function enter(
    ctx: Context,
    waiting: Waiting,
    {
      userId,
      person: found,
      federation,
      lacksFactor,
    }: Extract<FederatedResult, { outcome: 'signed_in' }>,
  ): Promise<void> {
    const { interaction, assertion } = waiting;
    const now = Math.floor(clock().getTime() / 1000);
    const amr = assertion.amr.length > 0 ? [...assertion.amr] : ['fed'];
    // When they were proved there; never later than now, whatever the provider's clock says.
    const authTime = Math.min(assertion.authTime ?? now, now);
    const person = found ?? (await findPerson(database, userId, clock()));
    if (!person) return onward(ctx, waiting);
    if (lacksFactor) {
      await interactions.keep(interaction, {
        userId,
        methods: ['upstream_alone'],
        at: clock().getTime(),
        putOut: person.putOut,
        signedInAt: null,
        deviceId: null,
        remember: true,
        upstream: { amr, authTime, federation },
      });
      ctx.status = 303;
      return ctx.redirect(`/sign-in/${interaction.uid}`);
    }
    // Somebody else was signed in in this browser: their session ends here.
    const other = interaction.person && interaction.person.id !== userId;
    if (other && interaction.sessionUid !== null)
      await unitOfWork(
        foundation,
        { actor: { type: 'user', id: userId }, origin: originOf(ctx) },
        (work) => endSession(work, interaction.sessionUid!, 'another person signed in'),
      );
    await interactions.signIn(ctx, interaction, {
      person,
      login: {
        accountId: userId,
        // What is called by our own names elsewhere was not proved by our rules.
        acr: assertion.acr === null || isOwnAcr(assertion.acr) ? acr : assertion.acr,
        amr,
        ts: authTime,
        federation,
      },
      entry: null,
      forgetSession: other ?? false,
    });
  }
}

function goodOnes(values: PersonFields, errors: PersonErrors): Partial<PersonFields> {
  return Object.fromEntries(
    Object.entries(values).filter(
      ([name, value]) => value !== '' && !errors[name as keyof PersonErrors],
    ),
  );
}
