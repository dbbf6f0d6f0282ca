/** What a deal is worth and when it closes, between what is typed and what the engine counts in. */
import { dates, toDate } from '../util/format';

/** Millionths of the currency's unit; null for nothing, undefined for what is no amount. */
export function toMicros(text: string): number | null | undefined {
  const plain = text.normalize('NFKC').replace(/[\s,_’']/gu, '');
  if (!plain) return null;
  if (!/^\d{1,9}(\.\d{1,6})?$/.test(plain)) return undefined;
  return Math.round(Number(plain) * 1_000_000);
}

export function fromMicros(micros: number | null): string {
  return micros === null ? '' : String(micros / 1_000_000);
}

/** A day is one everywhere: its midnight in UTC, as imports and exports have it. */
export function toDay(text: string): number | null {
  const ms = Date.parse(`${text}T00:00:00Z`);
  return Number.isNaN(ms) ? null : ms * 1000;
}

export function fromDay(us: number | null): string {
  return us === null ? '' : toDate(us).toISOString().slice(0, 10);
}

export function day(us: number): string {
  return dates({ dateStyle: 'medium', timeZone: 'UTC' }).format(toDate(us));
}
