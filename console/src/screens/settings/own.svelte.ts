/** What users change of themselves: saved when a field is left, with the engine's refusal at that field. */
import { answer, api, Problem, type Schemas } from '../../lib/api/client';
import { language } from '../../lib/i18n/language.svelte';
import { session } from '../../lib/session.svelte';
import { sentence, toasts } from '../../lib/ui/toasts.svelte';

export class Own {
  problems = $state<Record<string, string>>({});

  /** Whether the engine took it. */
  async set(change: Schemas['OwnSettings']): Promise<boolean> {
    const names = Object.keys(change);
    try {
      await session.changed(await answer(api.PATCH('/api/v1/me', { body: change })));
      for (const name of names) delete this.problems[name];
      toasts.say(language.m.common.saved, 'good');
      return true;
    } catch (error) {
      if (error instanceof Problem && error.field && names.includes(error.field)) {
        this.problems[error.field] = sentence(error);
      } else toasts.failed(error);
      return false;
    }
  }
}
