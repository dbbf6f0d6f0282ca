/** Names beside ids: colleagues from the presence, records from the engine, each asked for once. */
import { answer, api } from '../api/client';
import { language } from '../i18n/language.svelte';
import { live } from '../live/live.svelte';
import { session } from '../session.svelte';
import { whoIn, type OfCall, type Who } from './who';

export function nameOfUser(user: string | null | undefined): string | undefined {
  if (!user) return undefined;
  if (user === session.user?.id) return session.user.name;
  return live.presence.find(({ user_id }) => user_id === user)?.name;
}

class Records {
  #names = $state<Record<string, string>>({});
  #asked = new Set<string>();

  /** Empty until it is known. */
  nameOf(type: string, id: string): string {
    if (!this.#asked.has(id)) {
      this.#asked.add(id);
      queueMicrotask(() => void this.#ask(type, id));
    }
    return this.#names[id] ?? '';
  }

  async #ask(type: string, id: string): Promise<void> {
    try {
      const found =
        type === 'deal'
          ? await answer(api.GET('/api/v1/deals/{deal}', { params: { path: { deal: id } } }))
          : await answer(api.GET('/api/v1/records/{record}', { params: { path: { record: id } } }));
      this.#names[id] = found.name;
    } catch {
      this.#asked.delete(id); // gone, or the engine is away: asked for again where it is shown again
    }
  }
}

export const records = new Records();

/** Whom a call was with, with the name of the record where it is filed by hand. */
export function whoOf(call: OfCall): Who {
  const who = whoIn(call, session.user?.id ?? '', nameOfUser, language.m.common.unknown);
  if (!who.record || who.company || who.display) return who;
  const name = records.nameOf(who.record.type, who.record.id);
  return name ? { ...who, name, display: who.name } : who;
}
