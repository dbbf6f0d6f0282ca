/** Call a number from a list, filed under the record it stands at. */
import { answer, api, idempotencyKey } from '../api/client';
import { language } from '../i18n/language.svelte';
import { toasts } from '../ui/toasts.svelte';

export async function callBack(number: string): Promise<void> {
  try {
    const params = { header: { 'Idempotency-Key': idempotencyKey() } };
    await answer(api.POST('/api/v1/calls', { params, body: { to: number } }));
    toasts.say(language.m.work.calling);
  } catch (error) {
    toasts.failed(error);
  }
}
