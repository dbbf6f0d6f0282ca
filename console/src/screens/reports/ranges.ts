/** The days of a report, as dates: which day it is in which place, the zone says; all else is counting days. */

export const PRESETS = ['today', 'week', 'month', 'last_month', 'quarter', 'own'] as const;
export type Preset = (typeof PRESETS)[number];

/** Both days are in it. */
export interface Range {
  from: string;
  to: string;
}

const DAY = 86_400_000;

/** A date as a moment that has nothing to do with any place. */
export function at(day: string): Date {
  return new Date(`${day}T00:00:00Z`);
}

export function plus(day: string, days: number): string {
  return new Date(at(day).getTime() + days * DAY).toISOString().slice(0, 10);
}

/** How many days a range has. */
export function days({ from, to }: Range): number {
  return Math.round((at(to).getTime() - at(from).getTime()) / DAY) + 1;
}

export function todayIn(zone: string, now = new Date()): string {
  return new Intl.DateTimeFormat('en-CA', { timeZone: zone, dateStyle: 'short' }).format(now); // has them as ISO does
}

/** 1 is Monday, as in ISO 8601. */
export function weekday(day: string): number {
  return at(day).getUTCDay() || 7;
}

export function monday(day: string): string {
  return plus(day, 1 - weekday(day));
}

/** What runs goes up to today: beside the time before it stand as many days, not a whole month beside a week. */
export function rangeOf(preset: Exclude<Preset, 'own'>, today: string): Range {
  const first = `${today.slice(0, 8)}01`;
  const month = Number(today.slice(5, 7));
  const quarter = String(month - ((month - 1) % 3)).padStart(2, '0');
  return {
    today: { from: today, to: today },
    week: { from: monday(today), to: today },
    month: { from: first, to: today },
    last_month: { from: `${plus(first, -1).slice(0, 8)}01`, to: plus(first, -1) },
    quarter: { from: `${today.slice(0, 5)}${quarter}-01`, to: today },
  }[preset];
}

/** A day that exists, or null. */
export function dayIn(text: string | null): string | null {
  if (!text || !/^\d{4}-\d{2}-\d{2}$/.test(text)) return null;
  const day = at(text);
  return Number.isFinite(day.getTime()) && day.toISOString().startsWith(text) ? text : null;
}
