/** Leads, contacts and companies as the console handles them. */
import { language } from '../i18n/language.svelte';
import type { Schemas } from '../api/client';

export type Person = Schemas['Record'];
export type Deal = Schemas['Deal'];
export type Kind = 'lead' | 'contact' | 'company';

export const KINDS: Kind[] = ['lead', 'contact', 'company'];
export const LEAD_STATUSES = ['new', 'contacted', 'qualified', 'unqualified'];
export const DEAL_STATUSES = ['open', 'won', 'lost'];
export const PHONE_LABELS = ['mobile', 'work', 'home', 'main', 'fax', 'other'];
export const PLACE_LABELS = ['work', 'home', 'other'];

export function addressOf(id: string): string {
  return id.startsWith('deal_') ? `/deals/${id}` : `/people/${id}`;
}

/** A label that somebody made up is shown as it is. */
export function labelOf(label: string): string {
  return language.m.common.phoneLabels[label] ?? label;
}

/** A contact's or company's status is the organisation's own word. */
export function statusOf(status: string): string {
  return language.m.people.statuses[status] ?? status;
}

export function toneOf(status: string): 'neutral' | 'accent' | 'good' | 'bad' {
  if (status === 'qualified' || status === 'won') return 'good';
  if (status === 'unqualified' || status === 'lost') return 'bad';
  return status === 'new' || status === 'open' ? 'accent' : 'neutral';
}

/** What the browser may open: only pages of the web, and a name without its scheme is one. */
export function webAddress(text: string): string | null {
  const whole = /^[a-z][a-z0-9+.-]*:/i.test(text) ? text : `https://${text}`;
  const url = URL.parse?.(whole) ?? null;
  return url && /^https?:$/.test(url.protocol) ? url.href : null;
}

/** One line each, without empty ones, as an envelope has it. */
export function placeLines(place: Schemas['Address']): string[] {
  const town = [place.postcode, place.city].filter(Boolean).join(' ');
  return [place.street, town, [place.region, place.country].filter(Boolean).join(', ')].filter(Boolean);
}
