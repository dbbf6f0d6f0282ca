import type { Summary } from '../live/types';

/** Drafts of calls that are over, the oldest first: in this order they are written. */
export function openSummaries(summaries: Summary[], user: string): Summary[] {
  const mine = summaries.filter(
    (each) => each.user_id === user && each.state === 'draft' && each.call_ended_us !== null,
  );
  return mine.sort((one, other) => one.call_created_us - other.call_created_us);
}
