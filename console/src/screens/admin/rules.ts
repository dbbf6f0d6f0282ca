/** The law's rules as forms: what each kind holds, and how it is written in a field. */
import type { Schemas } from '../../lib/api/client';

export type Rule = Schemas['LawRule'];
type Shape = 'spans' | 'other spans' | 'list' | 'number' | 'text' | 'yes';

const HOURS: Record<string, Shape> = {
  weekdays: 'spans',
  saturday: 'other spans',
  sunday: 'other spans',
  holidays: 'other spans',
};

export const SHAPES: Record<string, Record<string, Shape>> = {
  hours: HOURS,
  text_hours: HOURS,
  holidays: { add: 'list', remove: 'list' },
  recording: { consent: 'text', play: 'text' },
  refusal: { months: 'number' },
  attempts: { calls: 'number', hours: 'number' },
  words: { stop: 'list', help: 'list', start: 'list', stop_reply: 'text', help_reply: 'text', start_reply: 'text' },
  campaigns: {
    name: 'text',
    use: 'text',
    score_from: 'number',
    score_to: 'number',
    per_minute: 'number',
    per_day: 'number',
    review: 'yes',
  },
};

/** No hours at all on such days; an empty field is: as on weekdays. */
const CLOSED = '-';

export function written(kind: string, value: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(
    Object.keys(SHAPES[kind] ?? {}).map((name) => {
      const part = value[name];
      if (Array.isArray(part)) return [name, part.join(', ') || (isSpans(kind, name) ? CLOSED : '')];
      return [name, part === undefined || part === null ? '' : String(part)];
    }),
  );
}

export function read(kind: string, fields: Record<string, string>): Record<string, unknown> {
  const value: Record<string, unknown> = {};
  for (const [name, shape] of Object.entries(SHAPES[kind] ?? {})) {
    const text = (fields[name] ?? '').trim();
    if (shape === 'number') value[name] = Number(text);
    else if (shape === 'yes') value[name] = text === 'true';
    else if (shape === 'text') value[name] = text;
    else if (shape !== 'other spans' || text !== '') value[name] = text === CLOSED ? [] : parts(text);
  }
  return value;
}

function parts(text: string): string[] {
  return text
    .split(/[,、，\n]/)
    .map((each) => each.trim())
    .filter(Boolean);
}

function isSpans(kind: string, name: string): boolean {
  return SHAPES[kind]?.[name]?.endsWith('spans') ?? false;
}

/** Where a rule holds: Florida as its country and its name; browsers know no names of regions. */
export function placeOf(rule: Rule, code: string, everywhere: string, states: Record<string, string>): string {
  if (rule.place === '*') return everywhere;
  if (rule.kind === 'words') return new Intl.DisplayNames([code], { type: 'language' }).of(rule.place) ?? rule.place;
  if (rule.kind === 'campaigns') return rule.place;
  const [country = '', region] = rule.place.split('-');
  const name = new Intl.DisplayNames([code], { type: 'region' }).of(country) ?? country;
  return region ? `${name}, ${(country === 'US' && states[region]) || region}` : name;
}
