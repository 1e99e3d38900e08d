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
import type { Work } from '#identity/work.ts';
import { egress, EgressRefused } from '#platform/egress.ts';
import { named } from '../../form.ts';
import { secretPage } from '../../pages/console/forms.ts';
import { confirmPage } from '../../pages/console/parts.ts';
import {
  newWebhookPage,
  webhookPage,
  webhooksPage,
  type WebhookValues,
} from '../../pages/console/webhooks.ts';
import type { Door, MenuEntry, Room, Visit } from '../room.ts';
import { Typed } from '../typed.ts';

/** Who outside hears what happens in the account. */
export const webhooks: Room = {
  menu: {
    path: '/webhooks',
    title: 'rooms.webhooks',
    section: 'organization',
    right: 'webhooks:read',
  },
  open: (door) =>
    openAt(door, {
      path: '/webhooks',
      title: 'rooms.webhooks',
      everywhere: false,
      read: 'webhooks:read',
      manage: 'webhooks:manage',
    }),
};

/** Who outside hears what happens anywhere. */
export const installationWebhooks: Room = {
  menu: {
    path: '/installation/webhooks',
    title: 'rooms.webhooks_all',
    section: 'installation',
    right: 'installation_webhooks:manage',
    everywhere: true,
  },
  open: (door) =>
    openAt(door, {
      path: '/installation/webhooks',
      title: 'rooms.webhooks_all',
      everywhere: true,
      read: 'installation_webhooks:manage',
      manage: 'installation_webhooks:manage',
    }),
};

interface Place {
  path: string;
  title: MenuEntry['title'];
  everywhere: boolean;
  read: Capability;
  manage: Capability;
}

function openAt(door: Door, { path, title, everywhere, read, manage }: Place): void {
  const accountOf = (visit: Visit): string | null => (everywhere ? null : visit.account.id);
  const idOf = ({ params }: Visit): string => params['webhookId']!;
  const change = <T>(visit: Visit, command: (work: Work) => Promise<T>): Promise<T> =>
    everywhere ? visit.operate(command) : visit.act(command);
  const about = (visit: Visit) => ({
    ...visit.page,
    title: visit.t(title),
    path: `/console${path}`,
    may: visit.may(manage),
  });
  const one = `${path}/:webhookId`;

  door.get(path, read, async (visit) => {
    const list = await listWebhooks(visit.sql, accountOf(visit));
    visit.show(webhooksPage({ ...about(visit), webhooks: list }));
  });

  door.get(`${path}/new`, manage, (visit) => showNew(visit));
  door.post(`${path}/new`, manage, async (visit) => {
    const { values, errors } = readForm(visit);
    if (errors) return showNew(visit, errors);
    try {
      const { webhook, secret } = await change(visit, (work) =>
        createWebhook(work, visit.tools.foundation.vault, accountOf(visit), values),
      );
      showSecret(visit, webhook.id, secret);
    } catch (error) {
      showNew(visit, problemOf(visit, error));
    }
  });

  door.get(one, read, (visit) => showOne(visit));
  door.post(one, manage, async (visit) => {
    const { values, errors } = readForm(visit);
    if (errors) return showOne(visit, errors);
    try {
      await change(visit, (work) => changeWebhook(work, accountOf(visit), idOf(visit), values));
    } catch (error) {
      return showOne(visit, problemOf(visit, error));
    }
    visit.done(`${path}/${idOf(visit)}`, visit.t('rooms.saved'));
  });
  for (const [verb, state] of [
    ['pause', 'paused'],
    ['resume', 'active'],
  ] as const)
    door.post(`${one}/${verb}`, manage, async (visit) => {
      await change(visit, (work) => changeWebhook(work, accountOf(visit), idOf(visit), { state }));
      visit.done(`${path}/${idOf(visit)}`, visit.t('rooms.saved'));
    });
  door.post(`${one}/test`, manage, async (visit) => {
    await change(visit, (work) => testWebhook(work, accountOf(visit), idOf(visit)));
    visit.done(`${path}/${idOf(visit)}#deliveries`, visit.t('rooms.webhook.tested'));
  });
  door.post(`${one}/rotate`, manage, async (visit) => {
    const { secret } = await change(visit, (work) =>
      rotateWebhookSecret(work, visit.tools.foundation.vault, accountOf(visit), idOf(visit)),
    );
    showSecret(visit, idOf(visit), secret);
  });
  door.post(`${one}/replay`, manage, async (visit) => {
    const typed = new Typed(visit);
    const since = typed.day('since');
    if (since === null && typed.ok) typed.wrong('since', visit.t('rooms.wrong.day'));
    if (since === null) return showOne(visit, typed.errors);
    await change(visit, (work) => replayWebhook(work, accountOf(visit), idOf(visit), since));
    visit.done(`${path}/${idOf(visit)}#deliveries`, visit.t('rooms.webhook.replayed'));
  });
  for (const decision of ['redeliver', 'skip'] as const)
    door.post(`${one}/deliveries/:deliveryId/${decision}`, manage, async (visit) => {
      const delivery = visit.params['deliveryId']!;
      await change(visit, (work) =>
        decideDelivery(work, accountOf(visit), idOf(visit), delivery, decision),
      );
      visit.done(`${path}/${idOf(visit)}#delivery-${delivery}`, visit.t('rooms.saved'));
    });
  door.get(`${one}/remove`, manage, async (visit) => {
    const { id, url } = await requireWebhook(visit.sql, accountOf(visit), idOf(visit));
    visit.show(
      confirmPage(visit.page, {
        title: visit.t('rooms.remove'),
        heading: [visit.t('rooms.remove'), ': ', named(url, 80)],
        back: { href: `/console${path}/${id}`, title: named(url, 80) },
        what: visit.t('rooms.webhook.remove_text'),
        action: `/console${path}/${id}/remove`,
        button: visit.t('rooms.remove'),
        danger: true,
      }),
    );
  });
  door.post(`${one}/remove`, manage, async (visit) => {
    await change(visit, (work) => removeWebhook(work, accountOf(visit), idOf(visit)));
    visit.done(path, visit.t('rooms.removed'));
  });

  function showNew(visit: Visit, errors: Typed['errors'] = {}): void {
    const values = typedValues(visit);
    visit.show(
      newWebhookPage({
        ...about(visit),
        values: { ...values, actions: values.actions || 'user.*' },
        errors,
      }),
      Object.keys(errors).length > 0 ? 422 : 200,
    );
  }

  async function showOne(visit: Visit, errors: Typed['errors'] = {}): Promise<void> {
    const webhook = await requireWebhook(visit.sql, accountOf(visit), idOf(visit));
    const failed = Object.keys(errors).length > 0;
    visit.show(
      webhookPage({
        ...about(visit),
        webhook,
        values: failed ? typedValues(visit) : { ...webhook, actions: webhook.actions.join('\n') },
        errors,
        deliveries: await listDeliveries(visit.sql, accountOf(visit), webhook.id),
      }),
      failed ? 422 : 200,
    );
  }

  function showSecret(visit: Visit, id: string, secret: string): void {
    visit.show(
      secretPage(visit.page, {
        title: visit.t('rooms.webhook.secret'),
        back: { href: `/console${path}/${id}`, title: visit.t(title) },
        secrets: [[visit.t('rooms.webhook.secret'), secret]],
      }),
      201,
    );
  }
}

function typedValues(visit: Visit): WebhookValues {
  return {
    url: visit.value('url'),
    description: visit.value('description'),
    actions: visit.value('actions'),
  };
}

/** What was typed, and where that leads: the address is looked at again each time it is used. */
function readForm(visit: Visit): {
  values: { url: string; description: string; actions: string[] };
  errors: Typed['errors'] | null;
} {
  const typed = new Typed(visit);
  let url = typed.line('url', 2000);
  if (url !== '')
    try {
      url = egress(visit.tools.egress).check(url).href;
    } catch (error) {
      if (!(error instanceof EgressRefused)) throw error;
      typed.wrong('url', visit.say('rooms.wrong.address'));
    }
  const description = typed.optional('description', 200) ?? '';
  const actions = typed
    .text('actions', 5000)
    .split(/[\s,]+/)
    .filter(Boolean);
  return { values: { url, description, actions }, errors: typed.ok ? null : typed.errors };
}

/** What the rule found wrong, beside the field that is to blame. */
function problemOf(visit: Visit, error: unknown): Typed['errors'] {
  if (!(error instanceof Refusal)) throw error;
  if (error.code === 'invalid_value') return { actions: visit.t('rooms.webhook.actions_wrong') };
  if (error.code === 'limit_reached') return { url: visit.reason(error) };
  throw error;
}
