/** The lines of a record's feed in words. */
import type { Schemas } from '../api/client';
import { language } from '../i18n/language.svelte';
import { money } from '../util/format';
import { colleagues } from './colleagues.svelte';
import { statusOf } from './records';

type Activity = Schemas['Activity'];
type Data = Record<string, unknown>;

const data = (item: Activity): Data => (item.data ?? {}) as Data;
const text = (value: unknown): string => (typeof value === 'string' ? value : '');

export function said(item: Activity): string {
  const words = language.m.people.feed;
  const who = colleagues.actor(item.actor);
  if (item.kind === 'record.change') return words['record.change'](who, fieldsOf(data(item)));
  const plain: Record<string, (who: string) => string> = {
    'record.add': words['record.add'],
    'record.import': words['record.import'],
    'note.add': words['note.add'],
    'note.change': words['note.change'],
    'deal.add': words['deal.add'],
    'deal.change': words['deal.change'],
    'task.add': words['task.add'],
    'task.done': words['task.done'],
    'task.reopen': words['task.reopen'],
  };
  return (plain[item.kind] ?? words.other)(who);
}

/** Each name once: a contact's company is two fields of the store and one for people. */
function fieldsOf(changed: Data): string {
  const names = Array.isArray(changed.fields) ? changed.fields.map(String) : [];
  const known = names.map((name) => language.m.people.fields[name] ?? name);
  return new Intl.ListFormat(language.code, { type: 'conjunction' }).format(new Set(known));
}

/** What a line is about: a note's text, a deal with its value and state. */
export function quoted(item: Activity): { text: string; href?: string } | null {
  const about = data(item);
  if (item.kind.startsWith('note.')) return { text: text(about.text) };
  if (item.kind.startsWith('task.')) return { text: text(about.title) };
  if (!item.kind.startsWith('deal.')) return null;
  const micros = about.value_micros;
  const worth = typeof micros === 'number' ? money(micros, text(about.currency) || 'USD') : '';
  const parts = [text(about.name), worth, text(about.stage), statusOf(text(about.status))];
  return { text: parts.filter(Boolean).join(' · '), href: item.object_id ? `/deals/${item.object_id}` : undefined };
}
