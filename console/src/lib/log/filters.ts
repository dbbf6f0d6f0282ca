/** What the log is asked for, as it stands in the address. */
import type { operations } from '../api/schema';

export type Query = NonNullable<operations['list_calls']['parameters']['query']>;

export const NAMES = ['number', 'direction', 'result', 'outcome', 'user', 'from', 'to', 'open'] as const;
export type Name = (typeof NAMES)[number];
export type Filters = Record<Name, string>;

export const DIRECTIONS = ['inbound', 'outbound', 'internal'] as const;
export const RESULTS = [
  'answered',
  'missed',
  'no_answer',
  'voicemail',
  'busy',
  'rejected',
  'cancelled',
  'unreachable',
  'refused',
  'invalid_number',
  'interrupted',
  'failed',
] as const;

export function filtersIn(address: URLSearchParams): Filters {
  return Object.fromEntries(NAMES.map((name) => [name, address.get(name) ?? ''])) as Filters;
}

export function queryOf(filters: Filters): Query {
  const direction = DIRECTIONS.find((each) => each === filters.direction);
  return {
    direction,
    disposition: filters.result || undefined,
    outcome: filters.outcome || undefined,
    user: filters.user || undefined,
    customer_number: filters.number.trim() || undefined,
    since_us: midnight(filters.from, 0),
    until_us: midnight(filters.to, 1),
    open: { yes: true, no: false }[filters.open],
  };
}

/** The beginning of a day here, some days later: a range goes to the end of its last day. */
export function midnight(day: string, later: number): number | undefined {
  const found = /^(\d{4})-(\d{2})-(\d{2})$/.exec(day);
  if (!found) return undefined;
  const [, year, month, date] = found.map(Number);
  const at = new Date(year ?? 0, (month ?? 1) - 1, (date ?? 1) + later).getTime();
  return Number.isFinite(at) && at >= 0 ? at * 1000 : undefined;
}
