/** Choices that several forms of the admin pages share. */
import { answer, api, type Schemas } from '../../lib/api/client';
import type { Choice } from '../../lib/form/spec';
import { language } from '../../lib/i18n/language.svelte';

export async function users(): Promise<Schemas['User'][]> {
  return (await answer(api.GET('/api/v1/users'))).items;
}

export function userChoices(list: Schemas['User'][]): Choice[] {
  return list.map((user) => ({ value: user.id, label: user.name }));
}

export function pairs(words: Record<string, string>): Choice[] {
  return Object.entries(words).map(([value, label]) => ({ value, label }));
}

export function languages(): Choice[] {
  return language.offered.map((code) => ({
    value: code,
    label: new Intl.DisplayNames([code], { type: 'language' }).of(code) ?? code,
  }));
}

export function timeZones(): Choice[] {
  return ['UTC', ...Intl.supportedValuesOf('timeZone')].map((value) => ({ value, label: value.replaceAll('_', ' ') }));
}
