/** What the search for somebody to call or to invite offers: one line per number (V3). */
import type { Schemas } from '../api/client';

export type Hit = Schemas['HitView'];

export interface Option {
  /** Of the element, too. */
  id: string;
  kind: 'typed' | 'person' | 'colleague' | 'group' | 'recent';
  name: string;
  detail: string;
  /** mobile, home, work … */
  label: string;
  number: string;
  display: string;
  recordId?: string;
  userId?: string;
  groupId?: string;
  /** What a call costs, where it costs anything. */
  rate?: Schemas['RateView'];
  /** Where there is nothing to call. */
  none?: boolean;
}

/** Whether it can be dialled as it stands: three digits at least, and nothing that no number has. */
export function isNumber(text: string): boolean {
  return /^[+＋]?[\d０-９\s()./\-‐‑–—－・*#]{3,}$/u.test(text.trim()) && digits(text).length >= 3;
}

export function digits(text: string): string {
  return text.normalize('NFKC').replace(/[^\d*#+]/g, '');
}

export function typedOption(text: string): Option[] {
  if (!isNumber(text)) return [];
  const number = digits(text);
  return [{ id: 'typed', kind: 'typed', name: text.trim(), detail: '', label: '', number, display: text.trim() }];
}

/** The number that was found stands first among a person's; who has none stands last. */
export function personOptions(hits: Hit[]): Option[] {
  const options = hits.flatMap(optionsOf);
  return [...options.filter(({ none }) => !none), ...options.filter(({ none }) => none)];
}

function optionsOf({ record, number, prices }: Hit): Option[] {
  const { id, name, kind, title, company_name } = record;
  const detail = [kind === 'company' ? '' : title, company_name].filter((each) => each && each !== name).join(' · ');
  const base = { kind: 'person' as const, name, detail, recordId: id };
  const phones = [...record.phones].sort((one, other) => Number(other.e164 === number) - Number(one.e164 === number));
  if (phones.length === 0) return [{ ...base, id, label: '', number: '', display: '', none: true }];
  return phones.map(({ label, e164, display }, index) => ({
    ...base,
    id: `${id}-${index}`,
    label,
    number: e164,
    display: display ?? e164,
    rate: prices[e164],
  }));
}

export function colleagueOptions(colleagues: Schemas['Colleague'][], text: string, me: string): Option[] {
  const wanted = text.trim().normalize('NFKC').toLocaleLowerCase();
  const said = digits(text);
  const fits = ({ name, number }: Schemas['Colleague']): boolean =>
    name.normalize('NFKC').toLocaleLowerCase().includes(wanted) || (said.length >= 3 && (number ?? '').includes(said));
  return colleagues
    .filter((colleague) => colleague.active && colleague.id !== me && fits(colleague))
    .map(({ id, name, number, display }) => ({
      id,
      kind: 'colleague',
      name,
      detail: '',
      label: '',
      number: number ?? '',
      display: display ?? number ?? '',
      userId: id,
      none: !number,
    }));
}

/** The number called last stands once, newest first. */
export function recentOptions(calls: Schemas['Call'][], most = 6): Option[] {
  const shown = new Map<string, Option>();
  for (const call of calls) {
    const number = call.customer_number;
    if (!number || shown.has(number) || call.direction === 'internal') continue;
    const matches = (call.matches ?? []) as { id: string; name: string; company_name: string; label: string }[];
    const match = matches.find(({ id }) => id === call.record_id) ?? (matches.length === 1 ? matches[0] : undefined);
    const display = call.customer_display ?? number;
    shown.set(number, {
      id: call.id,
      kind: 'recent',
      name: match?.name ?? display,
      detail: match && match.company_name !== match.name ? match.company_name : '',
      label: match?.label ?? '',
      number,
      display,
      recordId: match?.id,
    });
  }
  return [...shown.values()].slice(0, most);
}

/** Which one is chosen after a key; -1: none. Ends meet. */
export function moved(options: Option[], at: number, step: 1 | -1): number {
  for (let tries = 1; tries <= options.length; tries++) {
    const next = (at + step * tries + options.length * 2 + (at < 0 && step < 0 ? 1 : 0)) % options.length;
    if (!options[next]?.none) return next;
  }
  return -1;
}
