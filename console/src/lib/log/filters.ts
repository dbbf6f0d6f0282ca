/** What the log is asked for, as it stands in the address. */
import type { operations } from '../api/schema';

export type Query = NonNullable<operations['list_calls']['parameters']['query']>;

export const NAMES = [
  'number',
  'direction',
  'result',
  'outcome',
  'user',
  'team',
  'from',
  'to',
  'weekday',
  'hour',
  'open',
] as const;
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

/** Days are those of this place, unless the address says of which: a report's are the organisation's. */
export function queryOf(filters: Filters, zone: string | null = null): Query {
  const direction = DIRECTIONS.find((each) => each === filters.direction);
  const [hour, weekday] = [whole(filters.hour, 0, 23), whole(filters.weekday, 1, 7)];
  const byClock = hour !== undefined || weekday !== undefined;
  return {
    direction,
    disposition: filters.result || undefined,
    outcome: filters.outcome || undefined,
    user: filters.user || undefined,
    customer_number: filters.number.trim() || undefined,
    since_us: midnight(filters.from, 0, zone),
    until_us: midnight(filters.to, 1, zone),
    open: { yes: true, no: false }[filters.open],
    team: filters.team || undefined,
    hour,
    weekday,
    time_zone: byClock ? (zone ?? new Intl.DateTimeFormat().resolvedOptions().timeZone) : undefined,
  };
}

function whole(text: string, lowest: number, highest: number): number | undefined {
  const found = /^\d{1,2}$/.test(text) ? Number(text) : NaN;
  return found >= lowest && found <= highest ? found : undefined;
}

/** The beginning of a day, some days later: a range goes to the end of its last day. */
export function midnight(day: string, later: number, zone: string | null = null): number | undefined {
  const found = /^(\d{4})-(\d{2})-(\d{2})$/.exec(day);
  if (!found) return undefined;
  const [year, month, date] = found.slice(1).map(Number) as [number, number, number];
  const at = midnightIn(zone, year, month - 1, date + later);
  return Number.isFinite(at) && at >= 0 ? at * 1000 : undefined;
}

function midnightIn(zone: string | null, ...day: [number, number, number]): number {
  const there = Date.UTC(...day);
  if (!zone || !Number.isFinite(there)) return new Date(...day).getTime();
  try {
    return there - offset(zone, there - offset(zone, there)); // the clock may be changed between the two
  } catch {
    return new Date(...day).getTime(); // a place that this browser does not know
  }
}

/** How much later than UTC it is there at that moment, in milliseconds. */
function offset(zone: string, at: number): number {
  const said = new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'longOffset' }).format(at);
  const [, sign, hours, minutes] = /GMT([+-])(\d+):(\d+)/.exec(said) ?? [];
  return (sign === '-' ? -1 : 1) * (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * 60_000;
}
