/** Moments between the engine's count and a field for date and time, which has the minutes of this place. */
import { toDate } from '../../lib/util/format';

export function toLocal(us: number | null): string {
  if (us === null) return '';
  const at = toDate(us);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

export function fromLocal(text: string): number {
  return new Date(text).getTime() * 1000;
}
