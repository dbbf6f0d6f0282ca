/** What the reports measure: how it is read off a row, written, compared and drawn. */
import type { Look } from '../../lib/charts/marks';
import { counted, shared, timed, type Scale } from '../../lib/charts/scale';
import { language } from '../../lib/i18n/language.svelte';
import { clock, count } from '../../lib/util/format';

/** `rate`: so many an hour. */
export type Kind = 'count' | 'rate' | 'time' | 'share' | 'money';

export interface Named {
  key: string;
  label: string;
}

export interface Measure<Sums> {
  /** As it stands in the address, and among the words. */
  id: string;
  /** Where it is not among the words, as that of an outcome. */
  name?: string;
  kind: Kind;
  /** Null where there is none, as the share of nothing. */
  of: (sums: Sums) => number | null;
  /** Whether its total stands above; where nothing is said, it does. */
  tile?: boolean;
  /** What it is made of, where that is drawn. */
  parts?: { id: string; look: Look; of: (sums: Sums) => number }[];
}

export function nameOfMeasure<Sums>({ id, name }: Pick<Measure<Sums>, 'id' | 'name'>): string {
  return name ?? language.m.reports.measures[id] ?? id;
}

/** Of a part and its whole. */
export function share(part: number, of: number): number | null {
  return of > 0 ? part / of : null;
}

const MICROS = 1_000_000;
const HOUR = 3_600;
const decimal = {
  format: (value: number): string => new Intl.NumberFormat(language.code, { maximumFractionDigits: 1 }).format(value),
};

export function format(kind: Kind, value: number | null, currency = ''): string {
  if (value === null) return '–';
  if (kind === 'time') return language.m.reports.duration(Math.round(value));
  if (kind === 'share')
    return new Intl.NumberFormat(language.code, { style: 'percent', maximumFractionDigits: 0 }).format(value);
  if (kind === 'money') return amount(value, currency);
  return kind === 'rate' ? decimal.format(value) : count(Math.round(value));
}

/** Cents only where there are any, and where they are worth the room. */
function amount(micros: number, currency: string): string {
  const large = Math.abs(micros) >= 1_000 * MICROS;
  const digits = large ? { maximumFractionDigits: 0 } : ({ trailingZeroDisplay: 'stripIfInteger' } as const);
  const style = { style: 'currency', currency, ...digits } as const;
  return new Intl.NumberFormat(language.code, style).format(micros / MICROS);
}

/** Where figures stand below one another: times as a clock has them. */
export function tabular(kind: Kind, value: number | null, currency = ''): string {
  if (kind !== 'time' || value === null) return format(kind, value, currency);
  const whole = Math.round(value);
  return whole < HOUR ? `0:${clock(whole * 1000).padStart(5, '0')}` : clock(whole * 1000);
}

/** With as few signs as it can be told by. */
export function tick(kind: Kind, value: number): string {
  if (kind === 'time') return language.m.reports.shortDuration(Math.round(value));
  if (kind === 'share') return format(kind, value);
  const most = kind === 'money' ? value / MICROS : value;
  return new Intl.NumberFormat(language.code, { notation: 'compact', maximumFractionDigits: 1 }).format(most);
}

export function scaleOf(kind: Kind, highest: number): Scale {
  if (kind === 'share') return shared();
  if (kind === 'time') return timed(highest);
  if (kind !== 'money') return counted(highest);
  const { ticks, max } = counted(highest / MICROS);
  return { ticks: ticks.map((each) => each * MICROS), max: max * MICROS };
}

export interface Difference {
  way: 'more' | 'less' | 'same';
  /** How much of what was before; points of a hundred between shares; null where there was nothing before. */
  by: number | null;
}

/** Null where there is nothing to compare. */
export function difference(kind: Kind, now: number | null, before: number | null): Difference | null {
  if (now === null || before === null) return null;
  const apart = kind === 'share' ? Math.round((now - before) * 100) : now - before;
  const way = apart > 0 ? 'more' : apart < 0 ? 'less' : 'same';
  if (kind === 'share') return { way, by: Math.abs(apart) };
  return { way, by: before > 0 ? Math.abs(apart) / before : null };
}

/** With its sign and in words: colour says nothing. */
export function differenceText(kind: Kind, now: number | null, before: number | null): string {
  const words = language.m.reports.difference;
  const found = difference(kind, now, before);
  if (!found) return words.nothing;
  if (found.way === 'same') return words.same;
  if (found.by === null) return words.fresh;
  const much = kind === 'share' ? words.points(found.by) : percent(found.by);
  return words[found.way](much);
}

function percent(part: number): string {
  const digits = part < 0.1 ? 1 : 0;
  return new Intl.NumberFormat(language.code, { style: 'percent', maximumFractionDigits: digits }).format(part);
}

/** In a cell that has room for three signs. Times are in minutes. */
export function heatTick(kind: Kind, value: number): string {
  if (kind === 'time') return tick('count', Math.round(value / 60));
  return kind === 'share' ? String(Math.round(value * 100)) : tick(kind, value);
}
