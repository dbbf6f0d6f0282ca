/** What the people in one call are called, by the ids in its facts. */
import type { Schemas } from '../../lib/api/client';
import { language } from '../../lib/i18n/language.svelte';
import { nameOfUser, records } from '../../lib/log/names.svelte';
import type { Names } from '../../lib/log/timeline';
import type { Who } from '../../lib/log/who';

export function namesIn(call: Schemas['CallDetail'], who: Who): Names {
  const words = language.m.log;
  const written = new Map<string, string>();
  for (const { number, display } of call.legs) if (number && display) written.set(number, display);
  if (call.did && call.did_display) written.set(call.did, call.did_display);
  if (call.customer_number && call.customer_display) written.set(call.customer_number, call.customer_display);

  const leg = (id: string): string => {
    const found = call.legs.find((each) => each.id === id);
    if (!found) return '';
    const user = nameOfUser(found.user_id);
    if (user) return found.role === 'forward' ? words.forwardedTo(user) : user;
    if (found.role === 'customer') return who.name;
    const guest = call.participants.find(({ leg_id }) => leg_id === id)?.name;
    return guest ?? found.display ?? found.number ?? words.roles[found.role] ?? '';
  };
  return {
    leg,
    user: (id) => nameOfUser(id) ?? '',
    number: (e164) => written.get(e164) ?? e164,
    record: (type, id) => records.nameOf(type, id),
  };
}
