/** An unknown number becomes a lead in one click (I1): named by the number until somebody writes the name. */
import { answer, api } from '../api/client';
import { language } from '../i18n/language.svelte';
import type { LiveCall } from '../live/types';
import { router } from '../router.svelte';
import { toasts } from '../ui/toasts.svelte';
import * as asks from './asks';
import { pageOf } from './who.svelte';

export async function makeLead(call: LiveCall): Promise<void> {
  const number = call.customer_number;
  if (!number) return;
  const name = call.customer_display || number;
  const body = { kind: 'lead' as const, name, source: 'call', phones: [{ label: 'mobile', number }] };
  const made = await answer(api.POST('/api/v1/records', { body: body as never }));
  await asks.file(call.id, made.id);
  const words = language.m.call.incoming;
  toasts.say(words.madeLead, 'good', { label: words.open, does: () => router.go(pageOf(made.id)) });
}
