import { isId } from '#platform/ids.ts';
import {
  addContact,
  contactLimit,
  contactsOf,
  removeContact,
  searchContacts,
} from '#identity/accounts/contacts.ts';
import { Refusal } from '#identity/refusal.ts';
import { contactsPage, removeContactPage } from '../../pages/console/contacts.ts';
import { refusalStatus } from '../refused.ts';
import type { Room, Visit } from '../room.ts';

/** Who is written to about what the account bought (behaviour.md F16). */
export const contacts: Room = {
  menu: {
    path: '/contacts',
    title: 'people.contacts',
    section: 'people',
    right: 'contacts:read',
  },
  open(door) {
    door.get('/contacts', 'contacts:read', (visit) => show(visit));
    door.post('/contacts', 'contacts:manage', async (visit) => {
      const userId = visit.value('user');
      const country = visit.value('country');
      try {
        if (!isId(userId)) throw new Refusal('user_not_found');
        await visit.act((work, { account }) =>
          addContact(work, account, userId, country === '' ? null : country),
        );
      } catch (error) {
        if (!(error instanceof Refusal) || error.code === 'step_up_required') throw error;
        return show(visit, error);
      }
      visit.done('/contacts', visit.say('people.contact.added'));
    });

    door.get('/contacts/:contactId/remove', 'contacts:manage', async (visit) => {
      const all = await contactsOf(visit.sql, visit.account.id);
      const contact = all.find(({ id }) => id === visit.params['contactId']);
      if (!contact) throw new Refusal('not_found');
      visit.show(removeContactPage({ ...visit.page, contact }));
    });
    door.post('/contacts/:contactId/remove', 'contacts:manage', async (visit) => {
      await visit.act((work, { account }) =>
        removeContact(work, account.id, visit.params['contactId']!),
      );
      visit.done('/contacts', visit.say('people.contact.removed'));
    });
  },
};

async function show(visit: Visit, refusal: Refusal | null = null): Promise<void> {
  const { sql, account } = visit;
  const q = visit.value('q').slice(0, 200);
  const short = q !== '' && Array.from(q).length < 3;
  visit.show(
    contactsPage({
      ...visit.page,
      contacts: await contactsOf(sql, account.id),
      limit: contactLimit,
      countries: account.countries,
      q,
      short,
      found: q !== '' && !short ? await searchContacts(sql, account.id, q) : null,
      may: visit.may('contacts:manage'),
      chosen: { user: visit.value('user'), country: visit.value('country') },
      error: refusal && visit.reason(refusal),
    }),
    refusal ? refusalStatus(refusal) : short ? 422 : 200,
  );
}
