/** Who works here, by name: for owners, authors and those who took part in calls. Read once, and again after changes. */
import { answer, api, type Schemas } from '../api/client';
import { language } from '../i18n/language.svelte';
import { live } from '../live/live.svelte';
import { session } from '../session.svelte';

class Colleagues {
  all = $state.raw<Schemas['Colleague'][]>([]);
  #revision = -1;

  /** Call it from an effect: it reads again when the organisation changed. */
  need(): void {
    if (live.revision === this.#revision) return;
    this.#revision = live.revision;
    answer(api.GET('/api/v1/colleagues')).then(
      (page) => (this.all = page.items),
      () => (this.#revision = -1),
    );
  }

  name(id: string | null | undefined): string {
    if (!id) return '';
    if (session.user?.id === id) return session.user.name;
    return this.all.find((each) => each.id === id)?.name ?? language.m.people.formerColleague;
  }

  /** Who did it, as the store writes actors: `user:usr_1`, `cli`, `engine`. */
  actor(text: string): string {
    const [kind = '', id] = text.split(':');
    if (kind === 'user') return id === session.user?.id ? language.m.people.you : this.name(id);
    return language.m.people.actors[kind] ?? language.m.people.actors.system ?? '';
  }

  /** For a choice of owner. */
  get options(): { value: string; label: string }[] {
    const me = session.me;
    const others = this.all.filter((each) => each.id !== me.id);
    return [
      { value: me.id, label: language.m.people.me(me.name) },
      ...others.map((each) => ({ value: each.id, label: each.name })),
    ];
  }
}

export const colleagues = new Colleagues();
