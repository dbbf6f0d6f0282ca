/** Search as people type, for fields that choose somebody. */
import { answer, api } from '../api/client';
import { language } from '../i18n/language.svelte';
import type { Kind, Person } from './records';

const SHOWN = 12;

export function finder(...kinds: Kind[]): (text: string) => Promise<Person[]> {
  const kind = kinds.length === 1 ? kinds[0] : undefined;
  return async (q) => {
    const found = await answer(api.GET('/api/v1/search', { params: { query: { q, kind, limit: SHOWN } } }));
    return found.items.map((hit) => hit.record).filter((record) => kinds.includes(record.kind as Kind));
  };
}

export function whoIs(record: Person): string {
  return [language.m.common.kinds[record.kind], record.title, record.company_name].filter(Boolean).join(' · ');
}
