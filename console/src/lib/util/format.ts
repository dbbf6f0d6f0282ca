/** Times, durations and money as people read them, in the page's language. Phone numbers come formatted from the server. */
import { language } from '../i18n/language.svelte';

const SECOND = 1_000_000;

/** Making a formatter takes longer than a row of a list may: each is made once. */
const made = new Map<string, unknown>();
function once<T>(kind: string, options: object, make: (code: string) => T): T {
  const key = `${kind} ${language.code} ${JSON.stringify(options)}`;
  if (!made.has(key)) made.set(key, make(language.code));
  return made.get(key) as T;
}

export function dates(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  return once('dates', options, (code) => new Intl.DateTimeFormat(code, options));
}

export function numbers(options: Intl.NumberFormatOptions): Intl.NumberFormat {
  return once('numbers', options, (code) => new Intl.NumberFormat(code, options));
}

export function toDate(us: number): Date {
  return new Date(us / 1000);
}

/** Microseconds since 1970, as the engine counts. */
export function nowUs(): number {
  return Date.now() * 1000;
}

/** 1:41, 12:05, 1:02:03. Takes milliseconds. */
export function clock(ms: number): string {
  const whole = Math.max(0, Math.floor(ms / 1000));
  const [hours, minutes, seconds] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (value: number): string => String(value).padStart(2, '0');
  return hours ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`;
}

export function dateTime(us: number): string {
  return dates({ dateStyle: 'medium', timeStyle: 'short' }).format(toDate(us));
}

export function date(us: number): string {
  return dates({ dateStyle: 'medium' }).format(toDate(us));
}

export function time(us: number): string {
  return dates({ timeStyle: 'short' }).format(toDate(us));
}

/** Today only the time, this year without the year: what a list has room for. */
export function shortDate(us: number, now = new Date()): string {
  const then = toDate(us);
  if (then.toDateString() === now.toDateString()) return time(us);
  const year = then.getFullYear() === now.getFullYear() ? undefined : 'numeric';
  return dates({ day: 'numeric', month: 'short', year }).format(then);
}

/** “3 minutes ago”, “in 2 days”. */
export function relative(us: number, now = nowUs()): string {
  const seconds = Math.round((us - now) / SECOND);
  const units: [Intl.RelativeTimeFormatUnit, number][] = [
    ['day', 86_400],
    ['hour', 3_600],
    ['minute', 60],
  ];
  const words = once('relative', {}, (code) => new Intl.RelativeTimeFormat(code, { numeric: 'auto' }));
  for (const [unit, size] of units) {
    if (Math.abs(seconds) >= size) return words.format(Math.trunc(seconds / size), unit);
  }
  return words.format(0, 'minute');
}

export function money(micros: number, currency: string): string {
  return numbers({ style: 'currency', currency }).format(micros / 1_000_000);
}

export function count(value: number): string {
  return numbers({}).format(value);
}
