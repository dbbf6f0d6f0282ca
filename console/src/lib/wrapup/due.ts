/** When a task is due, as people choose it. Pure. */

export const QUICK = ['hour', 'tomorrow', 'week', 'own'] as const;
export type Quick = (typeof QUICK)[number];

const NINE = 9;

/** Microseconds; null where a date and time of one's own is not one. `own` is as an input of type datetime-local has it. */
export function dueAt(quick: Quick, own: string, now: Date): number | null {
  switch (quick) {
    case 'hour':
      return now.getTime() * 1000 + 3_600_000_000;
    case 'tomorrow':
      return morning(now, 1);
    case 'week':
      return morning(now, 7);
    case 'own': {
      const at = new Date(own).getTime();
      return own && Number.isFinite(at) ? at * 1000 : null;
    }
  }
}

function morning(now: Date, days: number): number {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, NINE).getTime() * 1000;
}

/** For an input of type datetime-local. */
export function asInput(us: number): string {
  const at = new Date(us / 1000);
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day}T${two(at.getHours())}:${two(at.getMinutes())}`;
}
