/** What the rows of a report are called, and which days are behind them. */
import { language } from '../../lib/i18n/language.svelte';
import { at, plus, weekday, type Range } from './ranges';

/** What is grouped by time has an order of its own; all else is ordered by how much it is. */
const DATES = ['day', 'week', 'month'];
const TIMES = [...DATES, 'hour', 'weekday'];
/** A Monday: weekdays are called as the days from there. */
const MONDAY = '2026-11-02';

export function isTime(by: string): boolean {
  return TIMES.includes(by);
}

export function isDate(by: string): boolean {
  return DATES.includes(by);
}

/** The days behind a row, as far as they are in the report; null where it is no stretch of days. */
export function daysOf(by: string, key: string, range: Range): Range | null {
  if (by === 'day') return { from: key, to: key };
  const first = by === 'week' ? mondayOf(key) : by === 'month' ? `${key}-01` : null;
  if (!first) return null;
  const last = by === 'week' ? plus(first, 6) : plus(`${plus(first, 31).slice(0, 7)}-01`, -1);
  return { from: first < range.from ? range.from : first, to: last > range.to ? range.to : last };
}

/** Of a week as ISO 8601 counts them: the first of a year is that of 4 January. */
export function mondayOf(week: string): string {
  const [year, number] = week.split('-W');
  const fourth = `${year}-01-04`;
  return plus(fourth, 1 - weekday(fourth) + 7 * (Number(number) - 1));
}

/** What a row is called where it stands alone, and what it is called at the axis. */
export function nameOf(by: string, key: string, label: string): { name: string; short: string } {
  if (by === 'day')
    return both(
      key,
      { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' },
      { day: 'numeric', month: 'short' },
    );
  if (by === 'week') return weekOf(mondayOf(key));
  if (by === 'month') return both(`${key}-01`, { year: 'numeric', month: 'long' }, { month: 'short', year: 'numeric' });
  if (by === 'weekday') return both(plus(MONDAY, Number(key) - 1), { weekday: 'long' }, { weekday: 'short' });
  if (by === 'hour') return { name: hourText(Number(key)), short: key };
  const words = language.m.reports;
  const name = (by === 'direction' && words.directions[key]) || label || words.nameless[by] || key;
  return { name, short: name };
}

type Style = Intl.DateTimeFormatOptions;

function both(day: string, name: Style, short: Style): { name: string; short: string } {
  return { name: dateText(day, name), short: dateText(day, short) };
}

function weekOf(first: string): { name: string; short: string } {
  return {
    name: rangeText({ from: first, to: plus(first, 6) }, { day: 'numeric', month: 'short' }),
    short: dateText(first, { day: 'numeric', month: 'short' }),
  };
}

function hourText(hour: number): string {
  const two = (value: number): string => `${String(value).padStart(2, '0')}:00`;
  return `${two(hour)}–${two(hour + 1)}`;
}

function dateText(day: string, style: Style): string {
  return new Intl.DateTimeFormat(language.code, { ...style, timeZone: 'UTC' }).format(at(day));
}

export function rangeText({ from, to }: Range, style: Style = { dateStyle: 'medium' }): string {
  const words = new Intl.DateTimeFormat(language.code, { ...style, timeZone: 'UTC' });
  return words.formatRange(at(from), at(to));
}
