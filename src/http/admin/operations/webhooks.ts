import { z } from 'zod';
import type { Capability } from '#identity/access/rights.ts';
import {
  changeWebhook,
  createWebhook,
  decideDelivery,
  listDeliveries,
  listWebhooks,
  removeWebhook,
  replayWebhook,
  requireWebhook,
  rotateWebhookSecret,
  testWebhook,
} from '#identity/events/webhook.ts';
import { Refusal } from '#identity/refusal.ts';
import { egress, EgressRefused } from '#platform/egress.ts';
import {
  deliveryStates,
  NewWebhookView,
  WebhookDeliveryList,
  WebhookDeliveryView,
  WebhookList,
  WebhookView,
} from '../belonging-views.ts';
import { operation, type AnyOperation, type Tools } from '../operation.ts';
import { Moment, text } from '../schemas.ts';

const url = z.string().max(2000);
const actions = z
  .array(z.string().max(100))
  .min(1)
  .max(50)
  .describe('Such as user.locked, user.* or *.');

/**
 * Webhooks of an account, and those of the installation: the same operations, at two places, so that
 * they cannot differ.
 */
export const webhookOperations: readonly AnyOperation[] = [
  ...webhooksAt('/accounts/:accountId/webhooks', '', 'webhooks:read', 'webhooks:manage'),
  ...webhooksAt(
    '/webhooks',
    'Installation',
    'installation_webhooks:manage',
    'installation_webhooks:manage',
  ),
];

function webhooksAt(
  path: string,
  prefix: string,
  read: Capability,
  manage: Capability,
): AnyOperation[] {
  const tag = prefix ? 'Webhooks of the installation' : 'Webhooks';
  const named = (verb: string, noun: string): string => `${verb}${prefix}${noun}`;
  const of = ({ accountId }: Record<string, string>): string | null => accountId ?? null;
  return [
    operation({
      id: named('list', 'Webhooks'),
      tag,
      method: 'get',
      path,
      summary: 'Lists the webhooks.',
      right: read,
      result: WebhookList,
      async handle(work, { params }) {
        return { items: await listWebhooks(work, of(params)), nextCursor: null };
      },
    }),
    operation({
      id: named('create', 'Webhook'),
      tag,
      method: 'post',
      path,
      summary: 'Registers an address that is told what happens, signed with a secret. Told once.',
      description:
        'Events are rows of the audit log, sent as Standard Webhooks has it: `webhook-id`, `webhook-timestamp`, `webhook-signature`. Each is sent at least once, those of one subject in order. What is not taken with a 2xx within ten seconds is tried again for a day; then the webhook is `failing`, and goes on where it stopped when it is switched on.',
      right: manage,
      body: z.strictObject({ url, description: text(200).default(''), actions }),
      example: { url: 'https://hooks.acme.example/ostiary', actions: ['user.*'] },
      result: NewWebhookView,
      status: 201,
      refusals: ['limit_reached'],
      async handle(work, { params, body, tools }) {
        const made = await createWebhook(work, tools.vault, of(params), {
          ...body,
          url: checked(tools, body.url),
        });
        return { ...made.webhook, secret: made.secret };
      },
    }),
    operation({
      id: named('get', 'Webhook'),
      tag,
      method: 'get',
      path: `${path}/:webhookId`,
      summary: 'Gives a webhook.',
      right: read,
      result: WebhookView,
      refusals: ['not_found'],
      handle(work, { params }) {
        return requireWebhook(work, of(params), params['webhookId']!);
      },
    }),
    operation({
      id: named('change', 'Webhook'),
      tag,
      method: 'patch',
      path: `${path}/:webhookId`,
      summary: 'Changes a webhook, pauses it, or switches it on.',
      right: manage,
      body: z.strictObject({
        url: url.optional(),
        description: text(200).optional(),
        actions: actions.optional(),
        state: z.enum(['active', 'paused']).optional(),
      }),
      example: { state: 'active' },
      result: WebhookView,
      refusals: ['not_found'],
      handle(work, { params, body, tools }) {
        return changeWebhook(work, of(params), params['webhookId']!, {
          ...body,
          url: body.url === undefined ? undefined : checked(tools, body.url),
        });
      },
    }),
    operation({
      id: named('remove', 'Webhook'),
      tag,
      method: 'delete',
      path: `${path}/:webhookId`,
      summary: 'Removes a webhook.',
      right: manage,
      result: null,
      refusals: ['not_found'],
      handle(work, { params }) {
        return removeWebhook(work, of(params), params['webhookId']!);
      },
    }),
    operation({
      id: named('rotate', 'WebhookSecret'),
      tag,
      method: 'post',
      path: `${path}/:webhookId/rotate-secret`,
      summary: 'Gives a webhook another secret. The one before signs along for a day.',
      right: manage,
      result: NewWebhookView,
      refusals: ['not_found'],
      async handle(work, { params, tools }) {
        const { webhook, secret } = await rotateWebhookSecret(
          work,
          tools.vault,
          of(params),
          params['webhookId']!,
        );
        return { ...webhook, secret };
      },
    }),
    operation({
      id: named('test', 'Webhook'),
      tag,
      method: 'post',
      path: `${path}/:webhookId/test`,
      summary:
        'Sends a test event, whatever the state. Look at its delivery to see what came back.',
      right: manage,
      result: WebhookDeliveryView,
      refusals: ['not_found'],
      handle(work, { params }) {
        return testWebhook(work, of(params), params['webhookId']!);
      },
    }),
    operation({
      id: named('replay', 'Webhook'),
      tag,
      method: 'post',
      path: `${path}/:webhookId/replay`,
      summary: 'Sends all events since a moment once more, with the ids they had.',
      right: manage,
      body: z.strictObject({ since: Moment }),
      example: { since: '2027-05-31T00:00:00Z' },
      result: WebhookView,
      refusals: ['not_found'],
      handle(work, { params, body: { since } }) {
        return replayWebhook(work, of(params), params['webhookId']!, since);
      },
    }),
    operation({
      id: named('list', 'WebhookDeliveries'),
      tag,
      method: 'get',
      path: `${path}/:webhookId/deliveries`,
      summary: 'Lists what was sent and what waits, the latest first. Kept for a week.',
      right: read,
      query: z.strictObject({ state: z.enum(deliveryStates).optional() }),
      result: WebhookDeliveryList,
      refusals: ['not_found'],
      async handle(work, { params, query: { state } }) {
        const items = await listDeliveries(work, of(params), params['webhookId']!, {
          state: state ?? null,
        });
        return { items, nextCursor: null };
      },
    }),
    operation({
      id: named('decide', 'WebhookDelivery'),
      tag,
      method: 'post',
      path: `${path}/:webhookId/deliveries/:deliveryId`,
      summary: 'Sends one event once more, or skips it so that those behind it pass.',
      right: manage,
      body: z.strictObject({ decision: z.enum(['redeliver', 'skip']) }),
      example: { decision: 'redeliver' },
      result: WebhookDeliveryView,
      refusals: ['not_found'],
      handle(work, { params, body: { decision } }) {
        return decideDelivery(
          work,
          of(params),
          params['webhookId']!,
          params['deliveryId']!,
          decision,
        );
      },
    }),
  ];
}

/** The address as it will be used. Where its name leads is looked at again each time it is used. */
function checked({ egress: allowance }: Tools, address: string): string {
  try {
    return egress(allowance).check(address).href;
  } catch (error) {
    if (error instanceof EgressRefused) throw new Refusal('invalid_value', { url: error.message });
    throw error;
  }
}
